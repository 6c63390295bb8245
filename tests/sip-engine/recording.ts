import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One frame of a recorded conversation on the client port. */
export interface Frame {
  readonly from: 'application' | 'server';
  /** Without length and `#`. */
  readonly payload: string;
}

/** The folder of this test's data: the project's, since data is not copied beside the compiled tests. */
function wireFolder(): string {
  const compiled = dirname(fileURLToPath(import.meta.url));
  return join(compiled, '..', '..', '..', 'tests', 'sip-engine', 'wire');
}

/** Reads `tests/sip-engine/wire/<name>.log`. */
export function readRecording(name: string): Frame[] {
  const text = readFileSync(join(wireFolder(), `${name}.log`), 'latin1');
  const frames: Frame[] = [];
  let from: Frame['from'] | undefined;
  let at = 0;
  while (at < text.length) {
    if (text.startsWith('\n>>> APP\n', at) || text.startsWith('\n<<< SRV\n', at)) {
      from = text.startsWith('\n>>> APP\n', at) ? 'application' : 'server';
      at += 9;
      continue;
    }
    const length = /^(\d+)#/.exec(text.slice(at, at + 12));
    if (length === null || from === undefined) {
      at++;
      continue;
    }
    const start = at + length[0].length;
    const end = start + Number(length[1]);
    frames.push({ from, payload: text.slice(start, end) });
    at = end;
  }
  return frames;
}
