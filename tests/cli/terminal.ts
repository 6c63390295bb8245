import { PassThrough, Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ExitCode } from '../../scripts/cli/command.js';
import { runCli } from '../../scripts/cli/main.js';

export interface Outcome {
  readonly status: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one `balise` command line in this process, with `stdin` as its input. */
export async function balise(args: readonly string[], stdin = ''): Promise<Outcome> {
  return beginBalise(args, stdin).ended;
}

/** Begins one `balise` command line in this process; `wrote` resolves when it has written the words, to either stream. */
export function beginBalise(args: readonly string[], stdin = '') {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const told = { stdout: '', stderr: '' };
  let look = (): void => undefined;
  for (const [name, stream] of [['stdout', stdout] as const, ['stderr', stderr] as const])
    stream.setEncoding('utf8').on('data', (text: string) => {
      told[name] += text;
      look();
    });
  const status = runCli(args, { stdin: Readable.from([stdin]), stdout, stderr });
  return {
    ended: status.then(async (code): Promise<Outcome> => {
      await Promise.all([finished(stdout.end()), finished(stderr.end())]);
      return { status: code, ...told };
    }),
    wrote: (words: string) =>
      new Promise<void>((settle) => {
        look = () => {
          if (told.stdout.includes(words) || told.stderr.includes(words)) settle();
        };
        look();
      }),
  };
}
