import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Terminal } from './command.js';

/** The first line of stdin, without its end. At a terminal it is asked for, and what is typed is not shown. */
export async function readPassword(terminal: Terminal, prompt = 'password: '): Promise<string> {
  const isTTY = terminal.stdin.isTTY === true;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: terminal.stdin, output: nowhere, terminal: isTTY });
  // Asked for only now, when the terminal shows no more of what is typed.
  if (isTTY) terminal.stderr.write(prompt);
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    if (isTTY) terminal.stderr.write('\n');
  }
}
