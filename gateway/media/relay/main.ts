/**
 * The relay's process. It is started by the gateway's supervisor (configuration as one line on standard input, which then
 * stays open as the life line) or by hand and by systemd with `--config <file.json>`.
 */
import { readFileSync, rmSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import pino from 'pino';
import { relayClock } from './clock.js';
import { ConfigFault, type RelayConfig, readConfig } from './config.js';
import { ControlServer } from './control-server.js';
import { Relay } from './relay.js';
import { SoundLibrary } from './sound-library.js';

/** sysexits.h */
const EX_CONFIG = 78;

// Asynchronous and bounded: a parent that is stopped reads no log, and a log that blocks would hold up packets.
// With no least length flush() waits for nothing, and the last lines are lost at a busy machine's exit.
const destination = pino.destination({ fd: 1, sync: false, minLength: 1, maxLength: 1_000_000 });
// A parent that died takes no more lines; standard input tells of its death.
destination.on('error', () => undefined);
const log = pino({ name: 'relay' }, destination);

function fatal(event: string, msg: string): never {
  try {
    writeSync(1, `${JSON.stringify({ level: 60, event, msg })}\n`);
  } finally {
    process.exit(EX_CONFIG);
  }
}

async function run(config: RelayConfig, stopped: Promise<string>): Promise<void> {
  const clock = relayClock();
  // A socket left by a relay that was killed; the supervisor has seen to it that none is alive.
  rmSync(config.socket, { force: true });
  const control = new ControlServer({
    clock,
    path: config.socket,
    onLost: (why) => log.warn({ event: 'relay.contact-lost', why, calls: relay.dropAll() }, 'contact lost'),
    onFault: (why) => log.warn({ event: 'relay.control-fault', why }),
  });
  let retired: (why: string) => void = () => undefined;
  const relay = new Relay({
    clock,
    contact: control,
    cellAddress: config.cellAddress,
    carrierAddress: config.carrierAddress,
    ports: config.ports,
    sounds: config.prompts === null ? new SoundLibrary() : SoundLibrary.load(config.prompts),
    tell: (notice) => control.tell(notice),
    onSocketError: (error) => log.warn({ event: 'relay.socket-error', why: error.message }),
    onRetired: () => retired('retired'),
  });
  // An address that this machine does not have is said now, and not with the first call.
  await relay.tryAddresses();
  await control.listen(relay);
  writeSync(1, `${JSON.stringify({ event: 'ready', socket: config.socket, pid: process.pid })}\n`);

  const why = await Promise.race([stopped, new Promise<string>((resolve) => (retired = resolve))]);
  const calls = relay.dropAll();
  control.close();
  log.info({ event: 'relay.stopped', why, calls }, 'stopped');
  destination.flush(leave);
  // The log is no reason to live on.
  setTimeout(leave, 200);
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
function askedToStop(hasLifeLine: boolean): { stopped: Promise<string>; stop: (why: string) => void } {
  let stop: (why: string) => void = () => undefined;
  const stopped = new Promise<string>((resolve) => (stop = resolve));
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => {
    if (!hasLifeLine) stop('SIGINT');
  });
  return { stopped, stop };
}

function start(text: string, stopped: Promise<string>): RelayConfig {
  try {
    const config = readConfig(text);
    run(config, stopped).catch((error: unknown) => fatal('relay.start-failed', String(error)));
    return config;
  } catch (error) {
    if (error instanceof ConfigFault) return fatal('relay.config', error.message);
    throw error;
  }
}

const configAt = process.argv.indexOf('--config');
const { stopped, stop } = askedToStop(configAt < 0 && !process.stdin.isTTY);
if (configAt >= 0) {
  const path = process.argv[configAt + 1] ?? '';
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    fatal('relay.config', `${path} cannot be read: ${String(error)}`);
  }
  start(text, stopped);
} else {
  let config: RelayConfig | undefined;
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    config ??= start(line, stopped);
  });
  lines.on('close', () => {
    if (config === undefined) fatal('relay.config', 'standard input ended before the configuration came');
    if (config.exitWhenOrphaned) stop('life line ended');
  });
}
