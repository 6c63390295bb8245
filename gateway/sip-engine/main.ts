/**
 * The engine's process. It is started by the gateway's supervisor (configuration as one line on standard input, which then
 * stays open as the life line), or by hand and by systemd with `--config <file.json>` or with drachtio's own arguments.
 */
import { readFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { type CommandLine, readCommandLine, USAGE } from './command-line.js';
import { ConfigFault, type EngineConfig, readConfig } from './config.js';
import { createEngine } from './engine.js';

/** sysexits.h */
const EX_CONFIG = 78;
/** Both together stay under the 3 s after which the supervisor insists. */
const CLOSE_MS = 1_900;
const LAST_LINES_MS = 800;

// Asynchronous and bounded: a parent that is stopped reads no log, and a log that blocks would hold up calls.
// With no least length flush() waits for nothing, and the last lines are lost at a busy machine's exit.
const destination = pino.destination({ fd: 1, sync: false, minLength: 1, maxLength: 1_000_000 });
// A parent that died takes no more lines; standard input tells of its death.
destination.on('error', () => undefined);
const log = pino({ name: 'sip-engine' }, destination);

function fatal(event: string, msg: string): never {
  writeSync(1, `${JSON.stringify({ level: 60, event, msg })}\n`);
  process.exit(EX_CONFIG);
}

async function run(config: EngineConfig, stopped: Promise<string>): Promise<void> {
  const engine = await createEngine(config, {
    onEvent: ({ event, ...facts }) => {
      if (event === 'engine.deadline') log.info({ event, ...facts });
      else log.warn({ event, ...facts });
    },
  });
  writeSync(
    1,
    `${JSON.stringify({ event: 'ready', pid: process.pid, client: engine.client, listeners: engine.listeners })}\n`,
  );
  process.on('SIGHUP', () => {
    try {
      engine.reload();
      log.info({ event: 'engine.reloaded' });
    } catch (error) {
      log.error({ event: 'engine.reload-failed', msg: error instanceof Error ? error.message : String(error) });
    }
  });
  const why = await Promise.race([stopped, engine.retired.then(() => 'retired')]);
  // A peer that does not answer is no reason to live on, and neither is the log; what was counted is said either way.
  const inTime = await Promise.race([engine.close().then(() => true), sleep(CLOSE_MS, false)]);
  log.info({ event: 'engine.stopped', why, inTime, ...engine.status() });
  destination.flush(leave);
  setTimeout(leave, LAST_LINES_MS);
}

function leave(): never {
  // What could be written has been. At the exit the log would try once more, and for ever where nobody reads it any more.
  destination.flushSync = () => undefined;
  process.exit(0);
}

/**
 * Settles when this process is to end: SIGTERM, SIGINT, or the end of the life line. A terminal sends SIGINT to everybody on it:
 * one that hangs on a life line leaves it to whoever holds that, who ends the calls first.
 */
function askedToStop(hasLifeLine = false): { stopped: Promise<string>; stop: (why: string) => void } {
  let stop: (why: string) => void = () => undefined;
  const stopped = new Promise<string>((resolve) => {
    stop = resolve;
  });
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => {
    if (!hasLifeLine) stop('SIGINT');
  });
  return { stopped, stop };
}

function start(config: EngineConfig, stopped: Promise<string>): void {
  run(config, stopped).catch((error: unknown) => fatal('engine.start-failed', String(error)));
}

function read(text: () => string): EngineConfig {
  try {
    return readConfig(text());
  } catch (error) {
    return fatal('engine.config', error instanceof ConfigFault ? error.message : String(error));
  }
}

function fromLifeLine(): void {
  const { stopped, stop } = askedToStop(!process.stdin.isTTY);
  let config: EngineConfig | undefined;
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (config !== undefined) return;
    config = read(() => line);
    start(config, stopped);
  });
  lines.on('close', () => {
    if (config === undefined) fatal('engine.config', 'standard input ended before the configuration came');
    if (config.exitWhenOrphaned) stop('life line ended');
  });
}

let given: CommandLine;
try {
  given = readCommandLine(process.argv.slice(2));
} catch (error) {
  given = fatal('engine.arguments', `${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
}
switch (given.kind) {
  case 'help':
    writeSync(1, USAGE);
    break;
  case 'life-line':
    fromLifeLine();
    break;
  case 'file': {
    const { path } = given;
    start(
      read(() => readFileSync(path, 'utf8')),
      askedToStop().stopped,
    );
    break;
  }
  case 'config':
    start(given.config, askedToStop().stopped);
}
