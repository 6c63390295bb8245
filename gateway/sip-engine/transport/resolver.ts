import { lookup } from 'node:dns';
import { isIP } from 'node:net';

/** Tells the address of a host, of one family: at once for a literal one, later for a name; undefined when it has none. */
export type Resolver = (host: string, family: 4 | 6, done: (address: string | undefined) => void) => void;

/** Names by the system's resolver (A and AAAA; the SRV and NAPTR records of RFC 3263 are not asked for). */
export const systemResolver: Resolver = (host, family, done) => {
  if (isIP(host) !== 0) return done(host);
  lookup(host, { family }, (error, address) => done(error === null ? address : undefined));
};
