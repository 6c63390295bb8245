import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** How the agent was started. */
export interface Launch {
  readonly config: unknown;
  /** It is to look at its hardware and to change nothing. */
  readonly isCheck: boolean;
  /** Somebody holds its life line: a SIGINT of the terminal is theirs to answer. */
  readonly hasLifeLine: boolean;
  /** Runs `end` when the parent is gone. Never, for an agent that was started by hand or by systemd. */
  onEnd(end: (why: string) => void): void;
}

/**
 * The configuration: the first line of stdin, which then stays open as the life line; or, with `--config <file.json>`, a
 * file and no life line. Rejects with what is wrong when there is none.
 */
export async function launched(): Promise<Launch> {
  const isCheck = process.argv.includes('--check');
  const at = process.argv.indexOf('--config');
  if (at !== -1) {
    const path = process.argv[at + 1];
    if (path === undefined) throw new Error('--config needs the path of a JSON file');
    return { config: parsed(readFileSync(path, 'utf8'), path), isCheck, hasLifeLine: false, onEnd: () => undefined };
  }
  const hasLifeLine = !process.stdin.isTTY;
  if (hasLifeLine) process.on('SIGINT', () => undefined);
  const lines = createInterface({ input: process.stdin });
  let over = false;
  let tell: () => void = () => undefined;
  const ended = () => {
    over = true;
    tell();
  };
  process.stdin.once('end', ended);
  // A parent that was killed may show as a reset instead of an end.
  process.stdin.once('error', ended);
  const first = await new Promise<string>((resolve, reject) => {
    lines.once('line', resolve);
    lines.once('close', () => reject(new Error('stdin closed before it held a configuration: one line of JSON')));
  });
  // Nothing more is expected, and reading on is what shows the end.
  lines.on('line', () => undefined);
  return {
    config: parsed(first, 'the first line of stdin'),
    isCheck,
    hasLifeLine,
    onEnd(end) {
      tell = () => end('the parent is gone: stdin ended');
      if (over) tell();
    },
  };
}

function parsed(text: string, from: string): unknown {
  try {
    return JSON.parse(text);
  } catch (fault) {
    throw new Error(`${from} holds no JSON: ${fault instanceof Error ? fault.message : String(fault)}`);
  }
}
