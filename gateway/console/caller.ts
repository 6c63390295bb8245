import { timingSafeEqual } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import type { ConsoleLanguage, Right, Role } from './api/people.js';
import { ConsoleFault } from './fault.js';
import type { House } from './house.js';
import type { Person } from './people.js';
import { type Need, RIGHTS } from './rights.js';
import type { Session } from './sessions.js';

export const COOKIE = 'balise-session';
/** What the command line says of who runs it; on the local socket alone, and a word that is only passed on. */
export const SAYS = 'x-balise-user';

/** Who asks. */
export type Caller =
  | { readonly is: 'person'; readonly person: Person; readonly session: Session }
  /** Whoever may open the local socket: the gateway's own user, or root. */
  | { readonly is: 'local'; readonly name: string }
  /** Whoever has the bearer token, for the metrics alone. */
  | { readonly is: 'scraper' };

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | undefined;
  }
}

/** Whether two secrets are the same, in a time that tells nothing of where they differ. */
export function sameSecret(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Who a request comes from. `localName`: the one whom the local socket stands for; undefined on the network. */
export function callerOf(house: House, request: FastifyRequest, localName: string | undefined): Caller | undefined {
  const id = request.cookies[COOKIE];
  if (id !== undefined) {
    const session = house.sessions.use(id);
    const person = session === undefined ? undefined : house.people.find(session.name);
    if (session !== undefined && person !== undefined && !person.disabled) return { is: 'person', person, session };
    // A cookie that is worth nothing does not make a local caller of whoever brings it.
    return undefined;
  }
  if (localName !== undefined) {
    const says = request.headers[SAYS];
    const claim = typeof says === 'string' && /^[a-z_][a-z0-9_.-]{0,31}$/i.test(says) ? says : undefined;
    return {
      is: 'local',
      name: claim === undefined || claim === localName ? `unix:${localName}` : `unix:${localName} for ${claim}`,
    };
  }
  const { authorization } = request.headers;
  if (authorization !== undefined && sameSecret(authorization, `Bearer ${house.token}`)) return { is: 'scraper' };
  return undefined;
}

export function rightsOf(caller: Caller): readonly Right[] {
  switch (caller.is) {
    case 'person':
      return RIGHTS[caller.person.role];
    case 'local':
      return RIGHTS.administrator;
    case 'scraper':
      return ['metrics'];
  }
}

/** Throws a `ConsoleFault` unless this caller may do what the route needs, and proves that it is no other site's page that asks. */
export function admit(house: House, request: FastifyRequest, need: Need): void {
  if (need === 'nothing') return;
  const { caller } = request;
  if (caller === undefined) {
    if (house.people.size === 0) {
      const how = 'open the one-time link that the gateway printed at its start, or use balise staff add';
      throw new ConsoleFault(401, 'people.none', `nobody may log in yet: ${how}`);
    }
    throw new ConsoleFault(401, 'session.none', 'log in first: there is no session, or its time is over');
  }
  if (need === 'log-in' ? caller.is !== 'person' : !rightsOf(caller).includes(need)) {
    const more = need === 'log-in' ? {} : { right: need };
    throw new ConsoleFault(403, 'right', `${whoIs(caller)} may not do this: it needs the right "${need}"`, more);
  }
  if (caller.is !== 'person' || request.method === 'GET') return;
  const given = request.headers['x-csrf-token'];
  if (typeof given !== 'string' || !sameSecret(given, caller.session.csrf)) {
    throw new ConsoleFault(
      403,
      'csrf',
      'the header x-csrf-token is missing or is of another session: load the page anew',
    );
  }
}

/** The caller, where the route has made sure that there is one. */
export function callerIn(request: FastifyRequest): Caller {
  if (request.caller === undefined) throw new Error('a route that needs nothing asked who calls');
  return request.caller;
}

/** A caller as the audit chain names it. */
export function whoIs(caller: Caller): string {
  return caller.is === 'person' ? caller.person.name : caller.is === 'local' ? caller.name : 'the metrics token';
}

/** The parts of a change that say who made it. */
export function madeBy(request: FastifyRequest): {
  readonly who: string;
  readonly role: string;
  readonly from: string;
} {
  const caller = callerIn(request);
  const role: Role | 'local' | 'none' =
    caller.is === 'person' ? caller.person.role : caller.is === 'local' ? 'local' : 'none';
  return { who: whoIs(caller), role, from: addressOf(request) };
}

/** The address that a request comes from; `socket` on this machine's own. */
export function addressOf(request: FastifyRequest): string {
  return request.socket.remoteAddress ?? 'socket';
}

export function languageOf(request: FastifyRequest): ConsoleLanguage {
  const { caller } = request;
  return caller?.is === 'person' ? caller.person.language : 'en';
}

/** The SHA-256 of the client's certificate, hex, when the authority of the site's file signed it; undefined otherwise. */
export function certificateOf(request: FastifyRequest): string | undefined {
  const { socket } = request;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { fingerprint256 } = socket.getPeerCertificate();
  return fingerprint256?.replaceAll(':', '').toLowerCase();
}
