import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { NewPerson, PersonChange, PersonEntry } from '../api/people.js';
import { callerIn, madeBy } from '../caller.js';
import { ConsoleFault } from '../fault.js';
import { audited, type House } from '../house.js';
import { weakness } from '../passwords.js';
import { FINGERPRINT, LANGUAGES, PERSON_NAME, type Person, viewOf } from '../people.js';
import { ROLES } from '../rights.js';

const role = { enum: ROLES };
const language = { enum: LANGUAGES };
const password = { type: 'string', minLength: 1, maxLength: 256 };
const certificate = { type: 'string', pattern: FINGERPRINT };
const PARAMS = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', maxLength: 64 } },
};
const NEW = {
  type: 'object',
  required: ['name', 'role', 'password'],
  additionalProperties: false,
  properties: { name: { type: 'string', pattern: PERSON_NAME }, role, password, language, certificate },
};
const CHANGE = {
  type: 'object',
  minProperties: 1,
  additionalProperties: false,
  properties: {
    role,
    password,
    language,
    disabled: { type: 'boolean' },
    certificate: { anyOf: [certificate, { type: 'null' }] },
  },
};

interface Named {
  Params: { readonly name: string };
}

/** What the audit chain says of a person: all but the secret. */
const auditOf = ({ role, language, disabled, certificate }: Person) => ({
  role,
  language,
  disabled,
  ...(certificate === undefined ? {} : { certificate }),
});

/** Who may use the console. */
export function peopleRoutes(app: FastifyInstance, house: House): void {
  const { people, passwords, sessions, brake, clock } = house;
  const entryOf = (person: Person): PersonEntry => {
    const { disabled, createdAt, passwordAt, certificate } = person;
    const seen = house.lastSeen.get(person.name);
    const lockedS = brake.personLeft(person.name);
    return {
      ...viewOf(person),
      disabled,
      createdAt,
      passwordAt,
      sessions: sessions.count(person.name),
      ...(certificate === undefined ? {} : { certificate }),
      ...(seen === undefined ? {} : { lastSeenAt: seen }),
      ...(lockedS === 0 ? {} : { lockedUntil: clock.wall().add({ seconds: lockedS }).toString() }),
    };
  };
  const personIn = (request: FastifyRequest<Named>): Person => {
    const person = people.find(request.params.name);
    if (person === undefined)
      throw new ConsoleFault(404, 'people.unknown', `there is no person "${request.params.name}"`);
    return person;
  };
  const hashOf = async (secret: string, name: string): Promise<string> => {
    const weak = weakness(secret, name);
    if (weak !== undefined) throw new ConsoleFault(400, 'password.weak', weak);
    return passwords.hash(secret);
  };
  /** Nobody locks themselves out, and somebody can always administer. */
  const mayLose = (request: FastifyRequest, { name, role: is, disabled }: Person): void => {
    const caller = callerIn(request);
    if (caller.is === 'person' && caller.person.name === name) {
      throw new ConsoleFault(409, 'people.not-yourself', 'have another administrator do this to you');
    }
    if (is === 'administrator' && !disabled && !people.hasOtherAdministrator(name)) {
      throw new ConsoleFault(
        409,
        'people.last-administrator',
        `${name} is the last administrator: make another one first`,
      );
    }
  };
  const isFree = (fingerprint: string | null | undefined, name: string): void => {
    const holder = typeof fingerprint === 'string' ? people.byCertificate(fingerprint) : undefined;
    if (holder !== undefined && holder.name !== name) {
      throw new ConsoleFault(409, 'people.taken', `this certificate stands for ${holder.name} already`);
    }
  };

  app.get('/api/people', async () => ({ people: people.list().map(entryOf) }));

  app.post<{ Body: NewPerson }>('/api/people', { schema: { body: NEW } }, async (request, reply) => {
    const { name, password: secret, ...said } = request.body;
    const hash = await hashOf(secret, name);
    if (people.find(name) !== undefined)
      throw new ConsoleFault(409, 'people.taken', `there is a person "${name}" already`);
    isFree(said.certificate, name);
    const at = clock.wall().toString();
    const person: Person = {
      name,
      language: 'en',
      ...said,
      password: hash,
      disabled: false,
      createdAt: at,
      passwordAt: at,
    };
    const change = { ...madeBy(request), what: 'person.added', subject: name, after: auditOf(person) };
    audited(house, change, () => people.put(person));
    reply.code(201);
    return entryOf(person);
  });

  app.patch<Named & { Body: PersonChange }>(
    '/api/people/:name',
    { schema: { params: PARAMS, body: CHANGE } },
    async (request) => {
      personIn(request);
      const { password: secret, certificate: fingerprint, ...said } = request.body;
      const hash = secret === undefined ? undefined : await hashOf(secret, request.params.name);
      // Read only now: somebody else may have changed the person while the password was worked out.
      const before = personIn(request);
      const { certificate: had, ...rest } = before;
      const has = fingerprint === undefined ? had : (fingerprint ?? undefined);
      const after: Person = {
        ...rest,
        ...said,
        ...(has === undefined ? {} : { certificate: has }),
        ...(hash === undefined ? {} : { password: hash, passwordAt: clock.wall().toString() }),
      };
      if (after.disabled !== before.disabled || after.role !== before.role) {
        if (after.disabled || after.role !== 'administrator') mayLose(request, before);
      }
      isFree(fingerprint, before.name);
      const news = hash === undefined ? {} : { password: 'changed' };
      const change = { before: auditOf(before), after: { ...auditOf(after), ...news } };
      audited(house, { ...madeBy(request), what: 'person.changed', subject: before.name, ...change }, () =>
        people.put(after),
      );
      // Language and certificate alone leave the sessions as they are.
      if (after.disabled || after.role !== before.role || hash !== undefined) sessions.closeAll(before.name);
      return entryOf(after);
    },
  );

  app.delete<Named>('/api/people/:name', { schema: { params: PARAMS } }, async (request) => {
    const person = personIn(request);
    mayLose(request, person);
    const change = { ...madeBy(request), what: 'person.removed', subject: person.name, before: auditOf(person) };
    audited(house, change, () => people.remove(person.name));
    sessions.closeAll(person.name);
    return { removed: true };
  });
}
