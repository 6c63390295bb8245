import { PassThrough, Readable } from 'node:stream';
import type { ExitCode } from '../../scripts/cli/command.js';
import { runCli } from '../../scripts/cli/main.js';

export interface Outcome {
  readonly status: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

async function textOf(stream: PassThrough): Promise<string> {
  stream.end();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Runs one `balise` command line in this process, with `stdin` as its input. */
export async function balise(args: readonly string[], stdin = ''): Promise<Outcome> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const status = await runCli(args, { stdin: Readable.from([stdin]), stdout, stderr });
  return { status, stdout: await textOf(stdout), stderr: await textOf(stderr) };
}
