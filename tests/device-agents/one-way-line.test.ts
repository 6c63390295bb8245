/**
 * A board that hears us and that we cannot bring to open: each question of ours feeds its watchdog, which is then the only
 * thing that could. In virtual time.
 */
import t from 'tap';
import type { Device } from '../../config/schema/types.generated.js';
import { MS } from '../../device-agents/clock.js';
import { BOOT, VirtualAgent } from './virtual-agent.js';
import type { Exchange } from './virtual-line.js';

/** Every lease is over, and every relay open, so long after a fault, milliseconds. */
const OPEN_MS = 5_000;
const WRITE_COILS = 15;
const isWrite = (question: Buffer): boolean => question[1] === WRITE_COILS;

const FAULTS: readonly [string, Partial<Device>, (question: Buffer) => Exchange][] = [
  ['refuses every write of its relays', {}, (it) => ({ ms: 3, fate: isWrite(it) ? 'exception' : 'well' })],
  [
    'takes no write of its relays, and answers everything else',
    {},
    (it) => ({ ms: 3, fate: isWrite(it) ? 'question-lost' : 'well' }),
  ],
  ['refuses everything', {}, () => ({ ms: 3, fate: 'exception' })],
  ['hears us and is not heard', {}, () => ({ ms: 3, fate: 'answer-lost' })],
  [
    'hears us, is not heard, and would first have to say who it is',
    { identity: { register: 20, expect: 0 } },
    () => ({ ms: 3, fate: 'answer-lost' }),
  ],
  [
    'is heard only as noise, and would first have to say who it is',
    { identity: { register: 20, expect: 0 } },
    () => ({ ms: 3, fate: 'answer-spoilt' }),
  ],
];

for (const [what, device, standing] of FAULTS) {
  t.test(
    `a board that ${what} has opened ${OPEN_MS / 1_000} s after its lease, and is used again when it is well`,
    async (t) => {
      const agent = new VirtualAgent(device);
      const lease = (forMs: number) => {
        const nowNs = agent.clock.nowNs();
        const untilNs = nowNs + BigInt(forMs) * MS;
        agent.deliver(0, { connected: forMs > 0, forMs, sentNs: nowNs, untilNs, boot: BOOT, confirm: false });
      };
      await agent.go(200, OPEN_MS);
      lease(5_000);
      await agent.go(500, OPEN_MS);
      t.ok(agent.board.relays[0], 'its pair is connected');
      agent.standing = standing;
      // Lost by then: the gateway takes the lease away only when it hears of that.
      await agent.go(1_300, OPEN_MS);
      lease(0);
      // A relay that is closed for longer is a fault of the walk.
      await agent.go(20_000, OPEN_MS);
      t.notOk(agent.board.relays[0], 'it is open');
      agent.standing = () => ({ ms: 3, fate: 'well' });
      await agent.go(4_500, OPEN_MS);
      lease(5_000);
      await agent.go(500, OPEN_MS);
      t.ok(agent.board.relays[0], 'and connected again');
      await agent.end();
    },
  );
}
