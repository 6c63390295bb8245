import t from 'tap';
import type { Command, CommandAck, Ed25519PublicKey } from '../../config/schema/types.generated.js';
import { CommandDesk, type CommandDeskOptions } from '../../gateway/uplink/command-desk.js';
import { newCommand, newSigningKey, signCommand } from '../../scripts/headquarters/sign-command.js';
import { StillClock, silent } from '../store/samples.js';

const SAID = { reason: 'test', by: 'headquarters' } as const;

/** A desk whose disk does as it is told. */
async function world(store: Partial<CommandDeskOptions['store']>) {
  const { privateJwk, publicJwk } = await newSigningKey('hq-1');
  const clock = new StillClock();
  const acks: CommandAck[] = [];
  const done: Command[] = [];
  const desk = new CommandDesk({
    keys: [publicJwk as unknown as Ed25519PublicKey],
    gatewayId: 'demo/gw-1',
    clock,
    store: { takeCommand: () => true, append: () => undefined, ...store },
    acknowledge: (ack) => acks.push(ack),
    onCommand: async (command) => {
      done.push(command);
      clock.add(120);
      return { outcome: 'done' };
    },
    log: silent,
  });
  const take = async (order: Parameters<typeof newCommand>[2]) =>
    desk.take(Buffer.from(await signCommand(privateJwk, newCommand(clock, 'demo/gw-1', order))));
  return { acks, done, desk, take };
}

const gone = () => {
  throw new Error('the disk is gone');
};

t.test('with the disk gone a genuine cutoff is done all the same, and a release is not', async (t) => {
  const { acks, done, take } = await world({ takeCommand: gone, append: gone });
  await take({ ...SAID, type: 'release', target: { kind: 'site' } });
  t.match(acks, [{ state: 'refused', why: 'store-failed' }]);
  t.equal(done.length, 0);
  await take({ ...SAID, type: 'cutoff', target: { kind: 'site' }, hold: 'until-released' });
  t.match(acks.slice(1), [{ state: 'accepted' }, { state: 'done', ms: 120 }]);
  t.match(done, [{ type: 'cutoff', target: { kind: 'site' } }]);
});

t.test('an id is remembered for a day after the command has lapsed', async (t) => {
  const until: string[] = [];
  const { take } = await world({ takeCommand: (_id, forgetAt) => until.push(forgetAt.toString()) > 0 });
  await take({ ...SAID, type: 'ping' });
  t.same(until, ['2026-03-03T10:00:30Z']);
});

t.test('alarms that were held back in a flood are counted in the next one', async (t) => {
  const alarms: Readonly<Record<string, unknown>>[] = [];
  const clock = new StillClock();
  const desk = new CommandDesk({
    keys: [],
    gatewayId: 'demo/gw-1',
    clock,
    store: {
      takeCommand: () => true,
      append: (events) => {
        for (const { data } of events) alarms.push(data);
      },
    },
    acknowledge: () => undefined,
    onCommand: async () => ({ outcome: 'done' }),
    log: silent,
  });
  for (let n = 0; n < 25; n += 1) await desk.take(Buffer.from('forged'));
  t.equal(alarms.length, 10);
  clock.add(60_001);
  await desk.take(Buffer.from('forged'));
  t.match(alarms.at(-1), { why: 'unsigned', suppressed: 15 });
});
