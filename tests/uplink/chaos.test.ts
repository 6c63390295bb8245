import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import type { Ed25519PublicKey, EventEnvelope } from '../../config/schema/types.generated.js';
import { Receiver, type ReceiverFault } from '../../scripts/headquarters/receiver.js';
import { newCommand, newSigningKey, signCommand } from '../../scripts/headquarters/sign-command.js';
import { aFolder } from '../store/folder.js';
import { aBroker, anUplink, clock, draft, Ear, GATEWAY, needsMosquitto } from './world.js';

const FIXTURE = join(import.meta.dirname, 'fixtures', 'gateway.js');
const BURST = 400;

t.test(
  'headquarters gets each event once, with the broker stopped and killed in traffic',
  needsMosquitto,
  async (t) => {
    const broker = await aBroker(t);
    const { privateJwk, publicJwk } = await newSigningKey('hq-1');
    const keys = [publicJwk as unknown as Ed25519PublicKey];
    const { store, uplink } = anUplink(t, { url: broker.url, keys });
    const came: EventEnvelope[] = [];
    const faults: ReceiverFault[] = [];
    let look = (): void => undefined;
    const receiver: Receiver = new Receiver({
      url: broker.url,
      clientId: 'headquarters',
      onEvent: (event) => {
        came.push(event);
        look();
      },
      // A broker that is killed loses what it has confirmed since it last wrote to disk: that is a gap, and is asked for.
      onFault: (fault) => faults.push(fault),
      onMissing: ({ from, to }) => {
        const order = { type: 'resend', from, to, reason: 'gap', by: 'test' } as const;
        void signCommand(privateJwk, newCommand(clock, GATEWAY, order)).then((jws) => receiver.send(GATEWAY, jws));
      },
    });
    t.teardown(() => receiver.stop());
    await receiver.start();
    uplink.start();
    const until = (isSo: () => boolean) =>
      new Promise<void>((settle) => {
        look = () => {
          if (isSo()) settle();
        };
        look();
      });

    let written = 0;
    const burst = () => {
      for (let n = 0; n < BURST; n += 10) {
        store.calls.append(Array.from({ length: 10 }, (_, i) => draft(n + i, i === 7 ? 'alarm' : 'event')));
      }
      written += BURST;
    };
    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL', 'SIGTERM'] as const) {
      const before = came.length;
      burst();
      await until(() => came.length >= before + BURST / 4);
      await broker.stop(signal);
      burst();
      await broker.restart();
      const caught = came.length;
      await until(() => came.length > caught);
    }
    // What a killed broker forgot at the very end of the stream shows with the next event.
    store.calls.append([draft(0)]);
    written += 1;
    await until(() => came.length === written);
    const sequences = came.map(({ sequence }) => sequence).sort((a, b) => a - b);
    t.same(
      sequences,
      Array.from({ length: written }, (_, index) => index + 1),
      'each sequence once, and none is missing',
    );
    t.same(
      [...new Set(faults.map(({ fault }) => fault))].filter((fault) => fault !== 'gap'),
      [],
    );
    t.equal(receiver.counts.missing, 0);
    t.comment(`${written} events, ${receiver.counts.duplicates} duplicates dropped, ${faults.length} gaps mended`);
  },
);

t.test('a killed gateway is offline at once, and after its restart nothing is missing', needsMosquitto, async (t) => {
  const broker = await aBroker(t);
  const folder = aFolder(t);
  const ear = await Ear.at(t, broker.url);
  const lives = 4;
  const faults: ReceiverFault[] = [];
  let events = 0;
  const receiver = new Receiver({
    url: broker.url,
    onEvent: () => {
      events += 1;
    },
    onFault: (fault) => faults.push(fault),
  });
  t.teardown(() => receiver.stop());
  await receiver.start();
  for (let life = 1; life <= lives; life += 1) {
    const gateway = spawn(process.execPath, [FIXTURE, folder, broker.url], { stdio: ['ignore', 'inherit', 'inherit'] });
    t.teardown(() => gateway.kill('SIGKILL'));
    const far = life * 60;
    await ear.hear('event', ({ sequence }) => (sequence as number) > far);
    gateway.kill('SIGKILL');
    await once(gateway, 'exit');
    // The broker publishes the last will: as many as there were lives.
    while (ear.all('presence').filter(({ state }) => state === 'offline').length < life) {
      const known = ear.all('presence').length;
      await ear.hear('presence', () => ear.all('presence').length > known);
    }
    t.same(
      ear.all('presence').map(({ state }) => state),
      Array.from({ length: life }, () => ['online', 'offline']).flat(),
    );
  }
  t.same(faults, []);
  t.ok(events > 200, `${events} events`);
  t.equal(receiver.counts.missing, 0);
});
