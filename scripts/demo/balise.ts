import { PassThrough, Readable } from 'node:stream';
import { runCli } from '../cli/main.js';

/** One `balise` command line, as a technician would give it. Throws with its last words when it does not end well. */
export async function balise(args: readonly string[], stdin = ''): Promise<string> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const status = await runCli(args, { stdin: Readable.from([stdin]), stdout, stderr });
  const [said, complained] = await Promise.all([textOf(stdout), textOf(stderr)]);
  if (status !== 0) throw new Error(`balise ${args.slice(0, 2).join(' ')} ended with status ${status}: ${complained}`);
  return said;
}

async function textOf(stream: PassThrough): Promise<string> {
  stream.end();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
