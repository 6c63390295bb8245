/** The BYEs that are owed to legs whose SIP server is gone: paid once there is one again, and once. */
import { pino } from 'pino';
import t from 'tap';
import { OwedLegs } from '../../gateway/calls/owed-legs.js';
import type { CallEvent } from '../../gateway/calls/ports.js';
import type { LegDialog } from '../../gateway/calls/record.js';
import { CALL, dialog } from './samples.js';

interface Payment {
  readonly dialogs: readonly LegDialog[];
  paid(): void;
  failed(why: string): void;
}

/** Legs with a SIP server whose answers the test gives. */
function owing() {
  const payments: Payment[] = [];
  const told: CallEvent[] = [];
  const legs = new OwedLegs({
    signalling: {
      endFromJournal: (dialogs) =>
        new Promise((paid, reject) => {
          payments.push({ dialogs, paid, failed: (why) => reject(new Error(why)) });
        }),
    },
    onEnded: (_call, event) => told.push(event),
    log: pino({ level: 'silent' }),
  });
  return { legs, payments, told };
}

const [HANDSET_LEG, TRUNK_LEG] = [dialog('handset'), dialog('trunk')];

t.test('what is owed while the SIP server is away is paid when it is back, and then told', async (t) => {
  const { legs, payments, told } = owing();
  legs.signallingLost();
  t.equal(await legs.end(CALL, [HANDSET_LEG, TRUNK_LEG]), false);
  t.same([payments, told], [[], []]);
  legs.signallingBack();
  t.same(
    payments.map(({ dialogs }) => dialogs),
    [[HANDSET_LEG, TRUNK_LEG]],
  );
  payments[0]?.paid();
  await new Promise(setImmediate);
  t.same(told, [{ type: 'released', plane: 'signalling', legs: ['handset', 'trunk'] }]);
});

t.test('a server that is lost while it pays has paid nothing: all is owed again, once', async (t) => {
  const { legs, payments, told } = owing();
  const first = legs.end(CALL, [HANDSET_LEG, TRUNK_LEG]);
  legs.signallingLost();
  // The call hears of the loss before the payment does, and owes its legs by itself.
  await legs.end(CALL, [TRUNK_LEG]);
  payments[0]?.failed('the SIP server was lost');
  t.equal(await first, false);
  t.same(told, [], 'and nobody is told that a leg has ended');
  legs.signallingBack();
  t.equal(payments.length, 2);
  t.same(new Set(payments[1]?.dialogs), new Set([HANDSET_LEG, TRUNK_LEG]), 'each leg once');
  payments[1]?.paid();
  await new Promise(setImmediate);
  t.equal(told.length, 1);
  legs.signallingLost();
  legs.signallingBack();
  t.equal(payments.length, 2, 'what is paid is owed no more');
});

t.test('legs that a standing server will not end are not asked for for ever', async (t) => {
  const { legs, payments, told } = owing();
  const ending = legs.end(CALL, [TRUNK_LEG]);
  payments[0]?.failed('no');
  t.equal(await ending, false);
  legs.signallingBack();
  t.same([payments.length, told], [1, []]);
});
