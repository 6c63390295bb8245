import { Resolver as DnsResolver, lookup, type SrvRecord } from 'node:dns';
import { isIP } from 'node:net';
import type { EngineClock } from '../clock.js';
import type { TransportName } from '../config.js';
import { type Destination, defaultPort } from './destination.js';

/** One address that a destination comes down to. */
export interface Target {
  readonly address: string;
  readonly port: number;
  readonly transport: TransportName;
  /** The name that a certificate must be for (RFC 5922 §7.1); undefined where the URI names an address. */
  readonly serverName: string | undefined;
}

/**
 * Finds the addresses of a destination, of one family, best first: at once for a literal one, later for a name; none when it
 * has none. `spoken` are the transports that may be chosen where the URI leaves the choice.
 */
export type Resolver = (
  to: Destination,
  family: 4 | 6,
  spoken: (transport: TransportName) => boolean,
  done: (targets: readonly Target[]) => void,
) => void;

/** What was asked is known for so long, milliseconds: a burst of calls asks once. */
const REMEMBERED_MS = 10_000;
const MOST_REMEMBERED = 1_000;
/** More targets than these are not tried. */
const MOST_TARGETS = 8;

const SERVICE: Readonly<Record<TransportName, string>> = { udp: '_sip._udp', tcp: '_sip._tcp', tls: '_sips._tcp' };

/** The order in which to try SRV records: by priority, and within one by chance, in proportion to the weights (RFC 2782). */
export function inOrder(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const left = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  const ordered: SrvRecord[] = [];
  while (left.length > 0) {
    const same = left.filter((record) => record.priority === left[0]?.priority);
    let span = random() * same.reduce((sum, record) => sum + record.weight, 0);
    const chosen = same.find((record) => {
      span -= record.weight;
      return span <= 0;
    });
    if (chosen === undefined) break;
    ordered.push(chosen);
    left.splice(left.indexOf(chosen), 1);
  }
  return ordered;
}

/** Asks the system's resolver, or the name servers that the configuration names: SRV, then A or AAAA (RFC 3263 §4, without NAPTR). */
export function createResolver(clock: EngineClock, servers: readonly string[] | undefined): Resolver {
  const dns = new DnsResolver({ timeout: 2_000, tries: 2 });
  if (servers !== undefined) dns.setServers([...servers]);
  const memory = new Map<string, { readonly untilMs: number; readonly found: Promise<readonly unknown[]> }>();

  function remembered<T>(key: string, ask: (done: (found: readonly T[]) => void) => void): Promise<readonly T[]> {
    const known = memory.get(key);
    // What a key was asked for is what it is asked for again.
    if (known !== undefined && known.untilMs > clock.nowMs()) return known.found as Promise<readonly T[]>;
    if (memory.size >= MOST_REMEMBERED) memory.clear();
    const found = new Promise<readonly T[]>((resolve) => ask(resolve));
    memory.set(key, { untilMs: clock.nowMs() + REMEMBERED_MS, found });
    return found;
  }

  const srv = (name: string): Promise<readonly SrvRecord[]> =>
    remembered<SrvRecord>(`srv ${name}`, (done) =>
      dns.resolveSrv(name, (error, records) => done(error ? [] : records)),
    );

  const addresses = (name: string, family: 4 | 6): Promise<readonly string[]> =>
    remembered<string>(`${family} ${name}`, (done) => {
      const take = (error: Error | null, found: readonly string[]): void => done(error ? [] : found);
      if (servers === undefined) {
        // The system's way, which knows /etc/hosts.
        lookup(name, { family, all: true }, (error, found) =>
          take(error, error ? [] : found.map((one) => one.address)),
        );
      } else if (family === 4) dns.resolve4(name, take);
      else dns.resolve6(name, take);
    });

  async function byService(to: Destination, family: 4 | 6, transports: readonly TransportName[]): Promise<Target[]> {
    for (const transport of transports) {
      const records = await srv(`${SERVICE[transport]}.${to.host}`);
      const targets: Target[] = [];
      for (const record of inOrder(records, Math.random).slice(0, MOST_TARGETS)) {
        if (targets.length >= MOST_TARGETS) break;
        for (const address of await addresses(record.name, family)) {
          targets.push({ address, port: record.port, transport, serverName: to.host });
        }
      }
      if (targets.length > 0) return targets;
    }
    return [];
  }

  async function byName(to: Destination, family: 4 | 6, transports: readonly TransportName[]): Promise<Target[]> {
    // A port that is given is meant; SRV would name another (RFC 3263 §4.2).
    const served = to.port === undefined ? await byService(to, family, transports) : [];
    if (served.length > 0) return served.slice(0, MOST_TARGETS);
    const transport = transports[0] ?? 'udp';
    const found = await addresses(to.host, family);
    const port = to.port ?? defaultPort(transport);
    return found.slice(0, MOST_TARGETS).map((address) => ({ address, port, transport, serverName: to.host }));
  }

  return (to, family, spoken, done) => {
    const given: readonly TransportName[] = to.transport === undefined ? ['udp', 'tcp'] : [to.transport];
    const usable = given.filter(spoken);
    const transports = usable.length > 0 ? usable : given.slice(0, 1);
    if (isIP(to.host) !== 0) {
      const transport = transports[0] ?? 'udp';
      const port = to.port ?? defaultPort(transport);
      done([{ address: to.host, port, transport, serverName: undefined }]);
      return;
    }
    byName(to, family, transports).then(done, () => done([]));
  };
}
