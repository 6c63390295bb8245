/**
 * Finds boards on a port for somebody who waits for each word of it: a process of its own, so that a port that hangs hangs
 * nobody else. What to scan comes as the first line of stdin, which then stays open as the life line. One JSON object a line
 * on stdout (`{unit}` before each is asked, `{board}` for each found, at the end `{done}` or `{fault}`); exit status 0, 1 when the port failed, 78 when it was told nonsense.
 */
import { writeSync } from 'node:fs';
import type { Device } from '../../config/schema/types.generated.js';
import { object, whole } from '../checked-json.js';
import { agentClock } from '../clock.js';
import { launched } from '../life-line.js';
import { cannotStart } from '../log.js';
import { readTransport, type Transport } from '../transport.js';
import { openWire } from '../wire.js';
import { Inquiry } from './inquiry.js';
import { scanLine } from './scan.js';

interface ScanJob {
  readonly transport: Transport;
  /** The first and the last unit id. */
  readonly from: number;
  readonly to: number;
  /** The kinds on file, checked already by whoever read them. */
  readonly kinds: Readonly<Record<string, Device>>;
}

const say = (word: object): void => void writeSync(1, `${JSON.stringify(word)}\n`);

function readJob(config: unknown): ScanJob {
  const { transport, from, to, kinds } = object(config, '/');
  const first = whole(from, '/from', 1, 247);
  return {
    transport: readTransport(object(transport, '/transport')),
    from: first,
    to: whole(to, '/to', first, 247),
    kinds: object(kinds, '/kinds') as ScanJob['kinds'],
  };
}

async function scan({ transport, from, to, kinds }: ScanJob): Promise<0 | 1> {
  try {
    const wire = await openWire(transport);
    const units = Array.from({ length: to - from + 1 }, (_, index) => from + index);
    await scanLine(new Inquiry(wire, agentClock()), units, new Map(Object.entries(kinds)), {
      asking: (unit) => say({ unit }),
      found: (board) => say({ board }),
    });
    wire.close();
    say({ done: true });
    return 0;
  } catch (fault) {
    say({ fault: fault instanceof Error ? fault.message : String(fault) });
    return 1;
  }
}

try {
  const launch = await launched();
  const job = readJob(launch.config);
  launch.onEnd(() => process.exit(0));
  process.exit(await scan(job));
} catch (fault) {
  cannotStart(fault);
}
