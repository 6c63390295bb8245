import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FirstPerson, LogIn, PasswordChange, SessionView } from '../api/people.js';
import { addressOf, COOKIE, callerIn, certificateOf, madeBy, rightsOf } from '../caller.js';
import { ConsoleFault } from '../fault.js';
import { audited, type House } from '../house.js';
import type { Lock } from '../log-in-brake.js';
import { weakness } from '../passwords.js';
import { LANGUAGES, PERSON_NAME, type Person, viewOf } from '../people.js';
import { RIGHTS } from '../rights.js';
import type { Session } from '../sessions.js';

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength });
const body = (required: readonly string[], more: object = {}) => ({
  schema: {
    body: {
      type: 'object',
      required,
      additionalProperties: false,
      properties: { ...Object.fromEntries(required.map((name) => [name, text(256)])), ...more },
    },
  },
});
/** The name under which guesses at the one-time link are counted; no person can have it. */
const LINK = '*one-time link*';

/** Log-in, log-out, one's own password, and the first person of all. */
export function sessionRoutes(app: FastifyInstance, house: House, isSecure: boolean): void {
  const { people, passwords, sessions, brake, link, source } = house;

  const begin = (request: FastifyRequest, reply: FastifyReply, person: Person, how: string): SessionView => {
    // Whatever id the browser came with is over: the new one is known to nobody who planted the old.
    const before = request.cookies[COOKIE];
    const old = before === undefined ? undefined : sessions.use(before);
    if (old !== undefined) sessions.close(old);
    const { id, session } = sessions.open(person.name);
    reply.setCookie(COOKIE, id, { path: '/', httpOnly: true, sameSite: 'strict', secure: isSecure });
    house.lastSeen.set(person.name, house.clock.wall().toString());
    house.log.info({ event: 'console.log-in', person: person.name, how, from: addressOf(request) });
    return viewOfSession(person, session);
  };
  const checkBrake = (name: string, address: string): void => {
    const seconds = brake.secondsLeft(name, address);
    if (seconds === 0) return;
    const why = `too many failed log-ins: try again in ${seconds} s`;
    throw new ConsoleFault(429, 'session.locked', why, { retryAfterS: seconds });
  };
  const tellLocks = (locks: readonly Lock[], name: string, address: string): void => {
    for (const { of, failures, forS } of locks) {
      const whom = of === 'person' ? name : address;
      source.alarm(
        'console.locked',
        `${failures} failed log-ins ${of === 'person' ? 'as' : 'from'} ${whom}: locked for ${forS} s`,
      );
    }
  };

  app.get('/api/session', async (request, reply): Promise<SessionView> => {
    const { caller } = request;
    if (caller?.is === 'person') return viewOfSession(caller.person, caller.session);
    if (caller?.is === 'local') {
      const person = { name: caller.name, role: 'administrator', language: 'en' } as const;
      return { person, csrf: '', rights: rightsOf(caller) };
    }
    const certificate = certificateOf(request);
    const bearer = certificate === undefined ? undefined : people.byCertificate(certificate);
    if (bearer !== undefined && !bearer.disabled) return begin(request, reply, bearer, 'certificate');
    if (people.size === 0) throw new ConsoleFault(401, 'people.none', 'nobody may log in yet: use the one-time link');
    throw new ConsoleFault(401, 'session.none', 'there is no session, or its time is over');
  });

  app.post<{ Body: LogIn }>('/api/session', body(['name', 'password']), async (request, reply) => {
    const { password } = request.body;
    const name = request.body.name.trim().toLowerCase();
    checkBrake(name, addressOf(request));
    // Counted before the password is looked at, so that guesses made at once are as few as those made one by one.
    const locks = brake.failed(name, addressOf(request));
    const person = people.find(name);
    const isRight = await passwords.verify(password, person?.disabled === false ? person.password : undefined);
    // Changed, disabled or removed meanwhile: what was verified is no longer so.
    if (!isRight || person === undefined || people.find(name) !== person) {
      tellLocks(locks, name, addressOf(request));
      house.log.warn({ event: 'console.log-in-failed', from: addressOf(request) });
      throw new ConsoleFault(401, 'session.wrong', 'the name or the password is wrong');
    }
    brake.succeeded(name, addressOf(request));
    return begin(request, reply, person, 'password');
  });

  app.delete('/api/session', async (request, reply) => {
    const caller = callerIn(request);
    if (caller.is === 'person') sessions.close(caller.session);
    reply.clearCookie(COOKIE, { path: '/' });
    return { ended: true };
  });

  app.post<{ Body: PasswordChange }>('/api/session/password', body(['old', 'new']), async (request) => {
    const caller = callerIn(request);
    if (caller.is !== 'person') throw new ConsoleFault(403, 'right', 'only a person has a password');
    const { person, session } = caller;
    checkBrake(person.name, addressOf(request));
    const locks = brake.failed(person.name, addressOf(request));
    if (!(await passwords.verify(request.body.old, person.password))) {
      tellLocks(locks, person.name, addressOf(request));
      throw new ConsoleFault(403, 'password.wrong', 'the old password is wrong');
    }
    brake.succeeded(person.name, addressOf(request));
    const weak = weakness(request.body.new, person.name);
    if (weak !== undefined) throw new ConsoleFault(400, 'password.weak', weak);
    const password = await passwords.hash(request.body.new);
    // Somebody may have changed the person while the two were worked out.
    const now = people.find(person.name);
    if (now === undefined || now.disabled) throw new ConsoleFault(401, 'session.none', 'this person is no more');
    const change = { ...madeBy(request), what: 'person.password', subject: person.name };
    audited(house, change, () => people.put({ ...now, password, passwordAt: house.clock.wall().toString() }));
    sessions.closeAll(person.name, session);
    return viewOfSession(now, session);
  });

  const FIRST = body(['token', 'password'], {
    name: { type: 'string', pattern: PERSON_NAME },
    language: { enum: LANGUAGES, default: 'en' },
  });
  FIRST.schema.body.required = ['token', 'name', 'password'];
  app.post<{ Body: FirstPerson }>('/api/first-person', FIRST, async (request, reply) => {
    const { token, name, password, language = 'en' } = request.body;
    checkBrake(LINK, addressOf(request));
    if (people.size > 0 || !link.isGood(token)) {
      tellLocks(brake.failed(LINK, addressOf(request)), LINK, addressOf(request));
      const how = 'it is used, a day old, or of an earlier start; a restart prints a new one while there is nobody';
      throw new ConsoleFault(403, 'first.wrong', `this one-time link is not good: ${how}`);
    }
    const weak = weakness(password, name);
    if (weak !== undefined) throw new ConsoleFault(400, 'password.weak', weak);
    const at = house.clock.wall().toString();
    const hash = await passwords.hash(password);
    // Two may have come this far with the one link: from here on nothing waits.
    if (people.size > 0 || !link.isGood(token))
      throw new ConsoleFault(403, 'first.wrong', 'this one-time link is used');
    const person: Person = {
      name,
      role: 'administrator',
      language,
      password: hash,
      disabled: false,
      createdAt: at,
      passwordAt: at,
    };
    const after = { role: person.role, language };
    const change = { who: name, role: 'none', from: addressOf(request), what: 'person.first', subject: name, after };
    audited(house, change, () => people.put(person));
    link.use();
    return begin(request, reply, person, 'one-time link');
  });
}

function viewOfSession(person: Person, { csrf }: Session): SessionView {
  return { person: viewOf(person), csrf, rights: RIGHTS[person.role] };
}
