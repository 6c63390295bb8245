import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Test } from 'tap';
import { Calls } from '../../gateway/calls/calls.js';
import type { CallRequest, CallSink } from '../../gateway/calls/ports.js';
import type { CallRecord } from '../../gateway/calls/record.js';
import { loadSite } from '../../gateway/config/site.js';
import { SdpSession } from '../../gateway/media/sdp-session.js';
import { callId } from '../../gateway/policy/ids.js';
import type { Violation } from '../../gateway/signalling/account.js';
import { Signalling, type SignallingOptions } from '../../gateway/signalling/signalling.js';
import { createEngine, type Engine, type EngineConfig } from '../../gateway/sip-engine/engine.js';
import { accountsOf, trunksOf } from '../../gateway/site-accounts.js';
import { SitePolicy } from '../../gateway/site-policy.js';
import { openStore } from '../../gateway/store/open.js';
import { uuid7 } from '../../gateway/store/uuid7.js';
import { handset, makeSite, passwordOf, profile, type SiteParts } from '../peers/site.js';
import { Carrier, type CarrierCall } from './carrier.js';
import { ha1Of } from './credentials.js';
import { noLines, PaperMedia } from './paper-planes.js';
import { Peer, type Place } from './peer.js';
import { Phone, type PhoneCall } from './phone.js';
import { TestClock } from './test-clock.js';

/** Where everybody is: addresses of the loopback network, which Linux has all of. */
export const CELL = '127.0.1.1';
export const CELL_2 = '127.0.1.2';
/** In no wing and on no trunk's network. */
export const ABROAD = '127.0.9.9';
export const TRUNK = '127.0.2.1';
export const TRUNK_2 = '127.0.2.2';
const REALM = 'balise';
const SECRET = 'a secret of the test';

/** A number of the range that the tests' profile sanctions. */
export const NUMBER = '+442079460001';

/** A test asks as often as it likes, on a machine as busy as it is; what a flood meets is proven with the engine. */
export const NO_LIMITS = {
  ratePerAddress: 100_000,
  otherRatePerAddress: 100_000,
  refusalsPerAddress: 100_000,
  lagMs: 60_000,
};

export interface HouseOptions {
  readonly parts?: SiteParts;
  readonly engine?: Partial<EngineConfig>;
  readonly signalling?: Partial<SignallingOptions>;
  readonly trunk?: Readonly<Record<string, unknown>>;
  /** What a request is taken as, e.g. one for the desk. */
  readonly marked?: (request: CallRequest) => CallRequest;
  /** The first carrier takes calls over this; default UDP. */
  readonly trunkTransport?: 'udp' | 'tcp';
}

/** Signalling on the real engine, with the calls, the policy and the store of the house, two carriers and no sound. */
export interface House {
  readonly engine: Engine;
  readonly signalling: Signalling;
  readonly calls: Calls;
  readonly clock: TestClock;
  readonly media: PaperMedia;
  readonly cell: Place;
  readonly carrierSide: Place;
  readonly carriers: readonly [Carrier, Carrier];
  readonly violations: readonly Violation[];
  readonly records: readonly CallRecord[];
  /** The first violation of this code; waits for it. */
  alarmed(code: string): Promise<Violation>;
  /** The record of the next call to end. */
  ended(): Promise<CallRecord>;
  phone(more?: { user?: string; address?: string; transport?: 'udp' | 'tcp' }): Promise<Phone>;
}

/** Both algorithms of RFC 8760, as `balise ha1` writes them. */
export const bothHa1 = (user: string): Record<string, string> => ({
  MD5: ha1Of('MD5', user, REALM, passwordOf(user)),
  'SHA-256': ha1Of('SHA-256', user, REALM, passwordOf(user)),
});

export async function openHouse(t: Test, options: HouseOptions = {}): Promise<House> {
  const clock = new TestClock();
  const loopback = { address: '127.0.0.1', port: 0 };
  const listener = (name: string) => ({ ...loopback, name, transports: ['udp', 'tcp'] as const });
  // The carriers are there before the site that names them; what they say goes to a port that is known by then.
  const carrierSide = { address: '127.0.0.1', port: 0 };
  const transport = options.trunkTransport ?? 'udp';
  const first = transport === 'tcp' ? await Peer.tcpServer(t, TRUNK) : await Peer.udp(t, TRUNK, carrierSide);
  const carriers = [new Carrier(first), new Carrier(await Peer.udp(t, TRUNK_2, carrierSide))] as const;
  const trunk = (id: string, { peer }: Carrier, more: object = {}) => ({
    id,
    host: peer.address,
    port: peer.port,
    transport: 'udp',
    callerIdentity: '+442079460900',
    networks: ['127.0.2.0/24'],
    // What a carrier is asked between calls has tests of its own.
    optionsS: 0,
    ...more,
  });
  const folder = makeSite(t, 0, {
    wings: [{ id: 'a', network: ['127.0.1.0/24'] }],
    handsets: [
      handset('a-101', { ha1: bothHa1('a101') }),
      handset('a-102', { ha1: bothHa1('a102') }),
      handset('a-103'),
    ],
    profiles: [profile({ trunks: ['first', 'second'] })],
    trunks: [trunk('first', carriers[0], { transport, ...options.trunk }), trunk('second', carriers[1])],
    ...options.parts,
  });
  const files = await loadSite(folder);
  const log = pino({ level: 'silent' });
  const socket = join(folder, 'engine.sock');
  const engine = await createEngine({
    listeners: [listener('cell'), listener('carrier')],
    client: { ...loopback, secret: SECRET },
    control: { socket, secret: SECRET },
    limits: NO_LIMITS,
    ...options.engine,
  });
  const portOf = (name: string): number => engine.listeners.find((one) => one.name === name)?.port ?? 0;
  carrierSide.port = portOf('carrier');
  const store = openStore({ folder: join(folder, 'data'), clock, gatewayId: 'test/gw-1', bootId: 'boot-1', log });
  const news = new EventEmitter();
  const violations: Violation[] = [];
  const records: CallRecord[] = [];
  const signalling = new Signalling({
    clock,
    log,
    realm: REALM,
    accounts: accountsOf(files),
    trunks: trunksOf(files),
    newCallId: () => callId(uuid7(clock.wall().epochMilliseconds)),
    openSession: (...agreed) => new SdpSession(...agreed),
    violation: (violation) => {
      violations.push(violation);
      news.emit('news');
    },
    ...options.signalling,
  });
  let calls: Calls | undefined;
  const sink: CallSink = {
    request: (request) => calls?.request(options.marked?.(request) ?? request),
    event: (call, event) => calls?.event(call, event),
    planeLost: (plane, why) => calls?.planeLost(plane, why),
  };
  const media = new PaperMedia(sink);
  calls = new Calls({
    clock,
    bootId: 'boot-1',
    judge: new SitePolicy(files),
    store: store.calls,
    signalling,
    media,
    line: noLines(sink),
    numberToken: (number) => `token-of-${number.length}`,
    log,
    observer: {
      handset: () => undefined,
      ended: (record) => {
        records.push(record);
        news.emit('news');
      },
      cutoff: () => undefined,
    },
  });
  signalling.setSink(sink);
  const cell = { address: '127.0.0.1', port: portOf('cell') };
  await signalling.attach({
    client: { host: engine.client.address, port: engine.client.port, secret: SECRET },
    control: { socket, secret: SECRET },
    cell,
  });
  t.teardown(async () => {
    await calls?.stop(2_000);
    signalling.detach();
    await engine.close();
    store.close();
    clock.stop();
  });
  const seen = async <T>(find: () => T | undefined, what: string): Promise<T> => {
    const signal = AbortSignal.timeout(20_000);
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await once(news, 'news', { signal }).catch(() => {
        throw new Error(`no ${what} within 20 s; violations: ${JSON.stringify(violations)}`);
      });
    }
  };
  let told = 0;
  return {
    engine,
    signalling,
    calls,
    clock,
    media,
    cell,
    carrierSide,
    carriers,
    violations,
    records,
    alarmed: (code) => seen(() => violations.find((one) => one.code === code), `violation ${code}`),
    ended: async () => {
      const record = await seen(() => records[told], 'record');
      told += 1;
      return record;
    },
    phone: async ({ user = 'a101', address = CELL, transport = 'udp' } = {}) =>
      new Phone(await Peer[transport](t, address, cell), cell, user, passwordOf(user)),
  };
}

/** A call that is up on both legs. */
export interface Talk {
  readonly near: PhoneCall;
  readonly far: CarrierCall;
  readonly phone: Phone;
}

/** Places a call from a phone to the first carrier, which answers. */
export async function talk(house: House, phone?: Phone, uri?: string): Promise<Talk> {
  const from = phone ?? (await house.phone());
  const near = await from.dial(uri);
  const far = await house.carriers[0].invited();
  far.answer();
  await near.final();
  await far.acknowledged();
  return { near, far, phone: from };
}
