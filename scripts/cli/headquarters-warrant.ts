import { readFileSync } from 'node:fs';
import { Temporal } from 'temporal-polyfill';
import type { CommandAck, HeadquartersConfig } from '../../config/schema/types.generated.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { OrderFault, orderFrom } from '../headquarters/order.js';
import { sendCommand } from '../headquarters/send-command.js';
import { accessOf } from '../headquarters/serve.js';
import { newCommand, type SigningKey, signValue } from '../headquarters/sign-command.js';
import { EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';

/** What a warrant is to say, as it was typed. */
export interface WarrantWords {
  readonly id?: string | undefined;
  readonly person?: string | undefined;
  readonly number?: string | undefined;
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

/** Prints a signed warrant, a compact JWS. Throws a `UsageFault` that says what is missing. */
export async function signWarrant(
  words: WarrantWords,
  config: HeadquartersConfig,
  { stdout }: Terminal,
): Promise<ExitCode> {
  const { person, number } = words;
  if ((person === undefined) === (number === undefined)) throw new UsageFault('either --person or --number is wanted');
  if (number !== undefined && !/^\+[1-9][0-9]{2,14}$/.test(number))
    throw new UsageFault(`--number ${number}: write it with + and the country code, +442079460000`);
  const from = instant(words.from, '--from');
  const until = instant(words.until, '--until');
  if (Temporal.Instant.compare(from, until) >= 0) throw new UsageFault('--until is not after --from');
  const of = person === undefined ? { number } : { person };
  const said = { id: needed(words.id, '--id'), ...of, from: String(from), until: String(until) };
  stdout.write(`${await signValue(keyOf(config), said)}\n`);
  return EXIT.ok;
}

/** Sends a signed warrant to gateways, and tells what became of it. */
export async function sendWarrant(
  jws: string,
  gateways: readonly string[],
  by: string | undefined,
  config: HeadquartersConfig,
  clock: Clock,
  { stdout, stderr }: Terminal,
): Promise<ExitCode> {
  if (gateways.length === 0) throw new UsageFault('--gateway is missing');
  const key = keyOf(config);
  const order = ordered(jws, by);
  const answers = gateways.map(async (gateway): Promise<boolean> => {
    try {
      const command = newCommand(clock, gateway, order);
      const ack = await sendCommand({ url: config.url, connection: accessOf(config), key, command, clock });
      stdout.write(`${gateway}: ${lineOf(ack)}\n`);
      return ack.state === 'done';
    } catch (fault) {
      stderr.write(`${gateway}: ${fault instanceof Error && fault.message !== '' ? fault.message : fault}\n`);
      return false;
    }
  });
  return (await Promise.all(answers)).every(Boolean) ? EXIT.ok : EXIT.no;
}

function lineOf({ state, why, detail, ms }: CommandAck): string {
  if (state === 'done') return `the warrant is taken, ${Math.round(ms ?? 0)} ms after it came`;
  return `${state}${why === undefined ? '' : ` (${why})`}${detail === undefined ? '' : `: ${detail}`}`;
}

function ordered(jws: string, by: string | undefined) {
  try {
    return orderFrom({ warrant: jws, reason: 'warrant', by });
  } catch (fault) {
    if (fault instanceof OrderFault) throw new UsageFault(fault.message);
    throw fault;
  }
}

function instant(text: string | undefined, option: string): Temporal.Instant {
  try {
    return Temporal.Instant.from(needed(text, option));
  } catch (fault) {
    if (!(fault instanceof RangeError)) throw fault;
    throw new UsageFault(`${option} ${text}: write an instant, 2026-03-04T08:00:00Z`);
  }
}

function keyOf({ signingKey }: HeadquartersConfig): SigningKey {
  if (signingKey === undefined) throw new UsageFault('headquarters.json names no signingKey');
  return JSON.parse(readFileSync(signingKey, 'utf8')) as SigningKey;
}
