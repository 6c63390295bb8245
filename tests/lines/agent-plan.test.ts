import { readdirSync } from 'node:fs';
import t from 'tap';
import type { Board, Handset } from '../../config/schema/types.generated.js';
import { readConfig as readCard } from '../../device-agents/line-card/config.js';
import { readConfig as readModbus } from '../../device-agents/modbus-line/config.js';
import { programData } from '../../gateway/config/paths.js';
import { fittingsOf, LINE_CARD, MODBUS_LINE, planAgents, readKind } from '../../gateway/lines/agent-plan.js';

const transport = { kind: 'serial', path: '/dev/ttyS0', baud: 9600, parity: 'none', stopBits: 1 } as const;
const board = (more: Partial<Board> = {}): Board => ({
  id: 'b1',
  device: 'generic-8r8i',
  unit: 1,
  agent: 'modbus-1',
  transport,
  allowNoWatchdog: false,
  ...more,
});
const handset = (id: string, on: string, relay: number) =>
  ({ id, wing: 'a', line: { board: on, relay, hook: relay } }) as Handset;
const bus = { address: '127.0.0.1', port: 1884, secret: 'a secret of the test' };

t.test(
  'every kind of board and card on file is what its schema asks for, and says where its facts were read',
  async (t) => {
    const names = readdirSync(programData('devices')).map((name) => name.replace(/\.json$/, ''));
    t.ok(names.length >= 5);
    for (const name of names) t.ok(readKind(name).source.length > 0, name);
  },
);

t.test('boards of one agent share a process; a line card has one of its own', async (t) => {
  const card = board({
    id: 'c1',
    device: 'line-card-32',
    agent: 'card-1',
    transport: { ...transport, path: '/dev/ttyS1' },
  });
  const boards = [board(), board({ id: 'b2', unit: 2, panic: { input: 7, normallyClosed: true } }), card];
  const handsets = [handset('a-101', 'b1', 0), handset('a-102', 'b2', 3), handset('a-103', 'c1', 31)];
  const plans = planAgents(boards, handsets);
  t.same(
    plans.map(({ agent, program, handsets: own, hasKeypads }) => ({ agent, program, own, hasKeypads })),
    [
      { agent: 'modbus-1', program: MODBUS_LINE, own: ['a-101', 'a-102'], hasKeypads: false },
      { agent: 'card-1', program: LINE_CARD, own: ['a-103'], hasKeypads: true },
    ],
  );
  // What the gateway writes is what the agents read.
  t.match(readModbus(plans[0]?.config(bus)), { boards: [{ id: 'b1' }, { id: 'b2', panic: { input: 7 } }] });
  t.match(readCard(plans[1]?.config(bus)), {
    card: { id: 'c1', model: 'LC32', lines: [{ handset: 'a-103', line: 31 }] },
  });
  const fittings = fittingsOf(boards, handsets);
  t.same(fittings.boards[1]?.panic, { kind: 'site' });
  t.same(
    fittings.lines.map(({ hasKeypad }) => hasKeypad),
    [false, false, true],
  );
});

t.test('a line card that shares its agent with a board is a fault of the site', async (t) => {
  const boards = [board(), board({ id: 'c1', device: 'line-card-32', unit: 2 })];
  t.throws(() => planAgents(boards, []), /agent modbus-1 has line card c1 and another board/);
});

t.test('the panic button of a wing is for that wing', async (t) => {
  const { boards } = fittingsOf([board({ panic: { input: 7, normallyClosed: false, wing: 'b' } })], []);
  t.same(boards[0]?.panic, { kind: 'wing', wing: 'b' });
});
