import fc from 'fast-check';
import pino from 'pino';
import t from 'tap';
import type { SiteFiles } from '../../gateway/config/site.js';
import type { LineFitting } from '../../gateway/lines/fittings.js';
import { SiteWires } from '../../gateway/site-wires.js';
import { VirtualClock } from './virtual-clock.js';

type Handset = SiteFiles['handsets'][number];
interface Wire {
  readonly board: string;
  readonly relay: number;
  readonly hook: number;
}

const BOARDS = ['b1', 'b2', 'b3'].map((id) => ({ id, device: 'generic-8r8i', unit: 1, agent: `agent-${id}` }));
const wire = (board: string, relay: number): Wire => ({ board, relay, hook: relay });
const handset = (id: string, line?: Wire): Handset =>
  ({ id, wing: 'a', ...(line === undefined ? {} : { line }) }) as Handset;

/** A site whose agents do what they are told, at once; `b3` has an agent that somebody else starts. */
function world(handsets: readonly Handset[]) {
  const clock = new VirtualClock();
  const site = { bus: { agents: [{ name: 'agent-b3', secretHash: '' }] } };
  const files = { folder: '/site', site, boards: BOARDS, handsets } as unknown as { handsets: readonly Handset[] };
  const talking = new Set<string>();
  const renewed: string[] = [];
  /** What each agent was told, by agent: handset and relay. */
  const agents = new Map<string, Map<string, number>>(BOARDS.map(({ agent }) => [agent, new Map()]));
  for (const { id, line } of handsets) if (line !== undefined) agents.get(`agent-${line.board}`)?.set(id, line.relay);
  let open: readonly LineFitting[] = [];
  const wires = new SiteWires({
    files: files as unknown as SiteFiles,
    clock,
    log: pino({ level: 'silent' }),
    lines: {
      fit: (fittings, shut = new Set()) => {
        open = fittings.filter((one) => !shut.has(one.handset));
      },
      agentLost: () => undefined,
    },
    inCall: () => [...talking],
    renew: async (plan, between) => {
      renewed.push(plan.agent);
      const config = plan.config({ address: '', port: 0, secret: '' }) as {
        boards: { lines: { handset: string; relay: number }[] }[];
      };
      const lines = config.boards.flatMap((board) => board.lines);
      agents.set(plan.agent, new Map(lines.map(({ handset: id, relay }) => [id, relay])));
      between();
      return true;
    },
    append: () => undefined,
  });
  const take = (next: readonly Handset[]) => {
    files.handsets = next;
    return wires.take();
  };
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  const leased = () => open.map(({ handset: id, board, relay }) => `${id} ${board} ${relay}`);
  return { take, settle, clock, talking, renewed, agents, leased, wires };
}

t.test('two handsets that change places on two boards end where they belong', async (t) => {
  const { take, settle, leased, agents } = world([handset('h1', wire('b1', 0)), handset('h2', wire('b2', 0))]);
  take([handset('h1', wire('b2', 0)), handset('h2', wire('b1', 0))]);
  t.same(leased(), [], 'open in between');
  await settle();
  t.same(leased(), ['h1 b2 0', 'h2 b1 0']);
  t.same([...(agents.get('agent-b1') ?? [])], [['h2', 0]]);
});

t.test('a wire of an agent that somebody else starts is open, and it is said what to do', async (t) => {
  const { take, settle, leased, renewed } = world([handset('h1', wire('b3', 0)), handset('h2', wire('b3', 1))]);
  const remarks = take([handset('h1', wire('b3', 5)), handset('h2', wire('b3', 1))]);
  await settle();
  t.match(remarks, [/^the wire of h1 is open from now on: its agent agent-b3 .*balise board agent \/site agent-b3/]);
  t.same(leased(), ['h2 b3 1']);
  t.same(renewed, []);
});

const anyWire = fc.option(fc.record({ board: fc.constantFrom('b1', 'b2'), relay: fc.integer({ min: 0, max: 3 }) }), {
  nil: undefined,
});
const step = fc.oneof(
  fc.record({ do: fc.constant('wire' as const), handset: fc.constantFrom('h1', 'h2', 'h3'), to: anyWire }),
  fc.record({ do: fc.constant('call' as const), handset: fc.constantFrom('h1', 'h2', 'h3'), up: fc.boolean() }),
  fc.record({ do: fc.constant('time' as const) }),
);

t.test(
  'no wire is leased that its agent does not hold as it stands, and none that another agent holds as well',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const now = new Map<string, Wire | undefined>([
          ['h1', wire('b1', 0)],
          ['h2', wire('b1', 1)],
          ['h3', wire('b2', 0)],
        ]);
        const site = () => [...now].map(([id, line]) => handset(id, line));
        const w = world(site());
        for (const one of [
          ...steps,
          ...['h1', 'h2', 'h3'].map((id) => ({ do: 'call' as const, handset: id, up: false })),
        ]) {
          const renewedBefore = w.renewed.length;
          const busy = new Set(
            [...w.talking].flatMap((id) => [...w.agents].filter(([, held]) => held.has(id)).map(([a]) => a)),
          );
          if (one.do === 'wire') {
            const to = one.to === undefined ? undefined : wire(one.to.board, one.to.relay);
            const isTaken = [...now.values()].some((line) => line?.board === to?.board && line?.relay === to?.relay);
            if (to === undefined || !isTaken) now.set(one.handset, to);
            w.take(site());
          } else if (one.do === 'call') {
            // Only a handset whose wire is leased can have a call.
            if (one.up && w.leased().some((lease) => lease.startsWith(one.handset))) w.talking.add(one.handset);
            else w.talking.delete(one.handset);
          } else w.clock.go(500);
          await w.settle();
          for (const agent of w.renewed.slice(renewedBefore)) if (busy.has(agent) && one.do !== 'call') return false;
          for (const lease of w.leased()) {
            const [id = '', board, relay] = lease.split(' ');
            const holders = [...w.agents].filter(([, held]) => held.has(id));
            if (holders.length !== 1 || holders[0]?.[0] !== `agent-${board}`) return false;
            if (holders[0]?.[1].get(id) !== Number(relay)) return false;
          }
        }
        // With no call up, everything comes to be as the site's files say.
        w.take(site());
        for (let turn = 0; turn < 5; turn += 1) {
          await w.settle();
          w.clock.go(500);
        }
        const wanted = [...now].flatMap(([id, line]) =>
          line === undefined ? [] : [`${id} ${line.board} ${line.relay}`],
        );
        w.wires.stop();
        return JSON.stringify([...w.leased()].sort()) === JSON.stringify(wanted.sort());
      }),
    );
    t.pass('held');
  },
);
