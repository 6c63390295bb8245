import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type JsonObject = Record<string, unknown>;

/** The files of a site for tests and measurements, as JSON values; absent ones are not written. */
export interface SiteParts {
  readonly site?: JsonObject;
  readonly wings?: readonly JsonObject[];
  readonly handsets?: readonly JsonObject[];
  readonly profiles?: readonly JsonObject[];
  readonly lists?: JsonObject;
  readonly trunks?: readonly JsonObject[];
  readonly boards?: readonly JsonObject[];
  readonly uplink?: JsonObject;
  /** When people in the United Kingdom may be called; default: always. */
  readonly callingHours?: JsonObject;
}

export const EVERY_DAY = { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '24:00' };

export const REALM = 'balise';

/** The password of every handset of such a site: its user's name with `secret-` before it. */
export const passwordOf = (user: string): string => `secret-${user}`;

/** HA1 of RFC 7616 §3.4.2, by MD5 alone: SIPp 3.6 knows no other. */
export function ha1(user: string): JsonObject {
  return {
    MD5: createHash('md5')
      .update(`${user}:${REALM}:${passwordOf(user)}`)
      .digest('hex'),
  };
}

/** A handset with no line, unless `more` gives it one. */
export function handset(id: string, more: JsonObject = {}): JsonObject {
  const user = id.replace('-', '');
  return { id, wing: 'a', profile: 'test', user, ha1: ha1(user), ...more };
}

/** Writes a site into `folder`, with ports from the kernel and nothing that depends on the hour, but for what `parts` says. */
export function writeSite(folder: string, trunkPort: number, parts: SiteParts = {}): void {
  const loopback = { address: '127.0.0.1', port: 0 };
  const files: JsonObject = {
    site: {
      site: 'test',
      gateway: 'gw-1',
      zone: 'Europe/London',
      country: 'GB',
      language: 'en',
      dataFolder: 'data',
      clock: { trust: 'assume' },
      sip: { realm: REALM, engine: 'embedded', cell: loopback, carrier: loopback },
      media: { driver: 'relay', cellAddress: '127.0.0.1', carrierAddress: '127.0.0.1', ports: null },
      bus: loopback,
      console: loopback,
      log: { level: 'info' },
      ...parts.site,
    },
    wings: parts.wings ?? [{ id: 'a', network: ['127.0.0.0/8'] }],
    handsets: parts.handsets ?? [handset('a-101')],
    profiles: parts.profiles ?? [profile()],
    lists: parts.lists ?? {},
    trunks: parts.trunks ?? [
      {
        id: 'carrier',
        host: '127.0.0.1',
        port: trunkPort,
        transport: 'udp',
        register: false,
        callerIdentity: '+442079460900',
        networks: ['127.0.0.0/8'],
        // Carriers of tests and benchmarks are mostly SIPp, which fails at a request that its scenario does not name.
        optionsS: 0,
      },
    ],
    boards: parts.boards,
    uplink: parts.uplink,
  };
  for (const [name, value] of Object.entries(files)) {
    if (value !== undefined) writeFileSync(join(folder, `${name}.json`), JSON.stringify(value, null, 2));
  }
  // The site's own hours, open always, so that nothing depends on the hour at which it runs.
  mkdirSync(join(folder, 'calling-hours'));
  const hours = { country: 'GB', status: 'for tests', source: 'none', windows: [EVERY_DAY], closedOnHolidays: false };
  writeFileSync(join(folder, 'calling-hours', 'GB.json'), JSON.stringify(parts.callingHours ?? hours));
}

/** The profile of the tests: fiction numbers of the United Kingdom, half an hour of talk, no line wanted. */
export function profile(more: JsonObject = {}): JsonObject {
  return {
    id: 'test',
    allow: ['+4420794600*'],
    maxTalkS: 1800,
    ringS: 30,
    hookRequired: false,
    prompts: false,
    warningsS: [60, 10],
    trunks: ['carrier'],
    ...more,
  };
}
