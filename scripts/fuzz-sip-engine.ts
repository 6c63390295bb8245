/**
 * Throws mutated messages at the SIP engine for as long as it is let: `npm run fuzz -- --seconds 3600`. It ends with status 1,
 * and says the seed, when the engine or the application on it crashes, hangs or grows.
 */
import { parseArgs } from 'node:util';
import { fuzz } from '../tests/sip-engine/hostile/fuzzing.js';

const USAGE = `Usage: npm run fuzz -- [--seconds <n>] [--seed <n>] [--messages <n>]

Sends mutated SIP messages to an embedded engine with a drachtio-srf application on it, from callers, as callee, on a
stream and on the client port, and sees to it that proper requests are still answered and that memory stays bounded.

  --seconds <n>    how long (default 60)
  --seed <n>       where to begin (default: by chance); a round of --messages is decided by its seed
  --messages <n>   messages a round; each round has the next seed and an engine of its own (default 20000)
  --help           this text
`;
/** Growth of the process that is no longer put down to the collector's laziness, bytes. */
const MOST_GROWTH = 300 * 1024 * 1024;

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  process.stderr.write(`--${name}: expected a whole number, found ${text}\n${USAGE}`);
  process.exit(64);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String((Math.random() * 2 ** 32) >>> 0) },
      messages: { type: 'string', default: '20000' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const untilMs = performance.now() + 1000 * whole('seconds', values.seconds);
  const messages = whole('messages', values.messages);
  let total = 0;
  let startRss = 0;
  for (let seed = whole('seed', values.seed); performance.now() < untilMs; seed++) {
    process.stdout.write(`seed ${seed}: `);
    const { sent, slowestLookMs, status } = await fuzz({ seed, messages, until: () => performance.now() > untilMs });
    total += sent;
    const { rss } = process.memoryUsage();
    startRss ||= rss;
    process.stdout.write(
      `${sent} messages, ${status.dialogsBegun} dialogs, ${status.parseErrors} parse errors, slowest look ` +
        `${slowestLookMs.toFixed(0)} ms, ${Math.round(rss / 1_048_576)} MiB\n`,
    );
    if (rss - startRss > MOST_GROWTH) throw new Error(`the process has grown from ${startRss} to ${rss} bytes`);
  }
  process.stdout.write(`${total} messages, and everything still works\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
}
