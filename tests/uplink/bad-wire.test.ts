/** What a wire and a broker can do to the stream, with a real mosquitto behind the fault: headquarters ends with each number once. */
import t, { type Test } from 'tap';
import type { Ed25519PublicKey } from '../../config/schema/types.generated.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { aDatabase, anIngester, held, until, upTo } from '../headquarters/world.js';
import { BadWire, isEvent, PUBACK, PUBLISH, packetId, type WireFaults } from './bad-wire.js';
import { aBroker, anUplink, draft, GATEWAY, needsMosquitto } from './world.js';

interface Bad {
  readonly what: string;
  /** The faults, by a count of the events that have gone by. */
  readonly faults: (state: { events: number; acks: number }) => WireFaults;
  readonly expect?: (t: Test, seen: { duplicates: number; asked: number; connections: number }) => void;
}

const some: readonly Bad[] = [
  {
    what: 'a connection that is cut in the middle of a packet',
    faults: (seen) => ({
      up: (type, packet, wire) => {
        if (type !== PUBLISH || !isEvent(packet)) return [packet];
        seen.events += 1;
        if (seen.events % 60 !== 0 || seen.events > 200) return [packet];
        wire.cutAfter(packet.subarray(0, 1 + (seen.events % (packet.length - 1))));
        return [];
      },
    }),
    expect: (t, { connections }) => t.ok(connections >= 4, `${connections} connections`),
  },
  {
    what: 'confirmations that are lost, and the connection after them',
    faults: (seen) => ({
      down: (type, packet, wire) => {
        if (type !== PUBACK) return [packet];
        seen.acks += 1;
        if (seen.acks % 40 === 0 && seen.acks < 200) wire.cutAfter(Buffer.alloc(0));
        return seen.acks % 40 > 20 && seen.acks < 200 ? [] : [packet];
      },
    }),
    expect: (t, { duplicates }) => t.ok(duplicates > 0, `${duplicates} duplicates were dropped`),
  },
  {
    what: 'a wire that sends packets twice',
    faults: (seen) => ({
      up: (type, packet) => {
        if (type !== PUBLISH || !isEvent(packet)) return [packet];
        seen.events += 1;
        return seen.events % 3 === 0 ? [packet, packet] : [packet];
      },
    }),
    expect: (t, { duplicates }) => t.ok(duplicates > 0, `${duplicates} duplicates were dropped`),
  },
  {
    what: 'a broker that confirms and forgets',
    faults: (seen) => ({
      up: (type, packet, wire) => {
        if (type !== PUBLISH || !isEvent(packet)) return [packet];
        seen.events += 1;
        // Some in the middle of the stream, and the very end of it, which no later event shows.
        if (!((seen.events > 50 && seen.events < 90) || (seen.events > 280 && seen.events <= 300))) return [packet];
        wire.toGateway(Buffer.concat([Buffer.from([PUBACK << 4, 2]), packetId(packet)]));
        return [];
      },
    }),
    expect: (t, { asked }) => t.ok(asked > 0, `${asked} gaps were asked for`),
  },
];

for (const { what, faults, expect } of some) {
  t.test(`${what}: headquarters has each event once, and in order`, needsMosquitto, async (t) => {
    const broker = await aBroker(t);
    const db = await aDatabase(t);
    const wire = await BadWire.start(t, broker.port, faults({ events: 0, acks: 0 }));
    const { privateJwk, publicJwk } = await newSigningKey('hq-1');
    const seen = { duplicates: 0, asked: 0 };
    await anIngester(t, {
      url: broker.url,
      db,
      key: privateJwk,
      onStored: (_, duplicates) => {
        seen.duplicates += duplicates;
      },
      onAsked: () => {
        seen.asked += 1;
      },
    });
    const { store, uplink } = anUplink(t, {
      url: wire.url,
      keys: [publicJwk as unknown as Ed25519PublicKey],
      statusS: 1,
    });
    uplink.start();
    for (let n = 0; n < 30; n += 1) {
      store.calls.append(Array.from({ length: 10 }, (_, i) => draft(n * 10 + i, i === 7 ? 'alarm' : 'event')));
      await new Promise<void>((settle) => setImmediate(settle));
    }
    await until(async () => (await held(db, GATEWAY)).length >= 300);
    t.same(await held(db, GATEWAY), upTo(store.chainEnd().sequence));
    const whole = async () => (await db.all<{ contiguous: number }>('SELECT contiguous FROM gateway'))[0]?.contiguous;
    await until(async () => (await whole()) === store.chainEnd().sequence);
    const strange = "SELECT type FROM alarm WHERE type LIKE 'balise.headquarters.%'";
    t.same(await db.all(strange), [], 'and each is linked to the one before it');
    expect?.(t, { ...seen, connections: wire.connections });
  });
}
