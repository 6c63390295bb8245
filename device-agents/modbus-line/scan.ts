/** Finds boards on a line by their unit ids, and says which kind on file each could be. It only reads. */
import type { Device } from '../../config/schema/types.generated.js';
import { type Answer, readBits, readRegister } from './frame.js';
import type { Inquiry } from './inquiry.js';

/** A kind that a board could be, and what speaks for it. */
export interface Match {
  readonly kind: string;
  /** The board says of itself that it is this kind. */
  readonly isCertain: boolean;
  /** It has exactly as many relays and inputs as the kind. */
  readonly isExact: boolean;
  readonly facts: readonly string[];
}

export interface Found {
  readonly unit: number;
  readonly tookMs: number;
  /** The best first; empty when no kind on file fits. */
  readonly matches: readonly Match[];
}

/** Hears of a scan while it goes on. */
export interface ScanListener {
  /** A unit is about to be asked. */
  asking(unit: number): void;
  found?(board: Found): void;
}

/** A board may take this long, milliseconds, before it is taken not to be there. */
const TURNAROUND_MS = 50;
/** Of two kinds that fit alike, that which tells more is meant. */
const rank = ({ isCertain, isExact, facts }: Match) => (isCertain ? 100 : 0) + (isExact ? 10 : 0) + facts.length;

/**
 * Asks each unit id in turn. Whatever answers, an exception too, is a board. Settles with the boards found, in the order of
 * their units; rejects when the port goes away meanwhile.
 */
export async function scanLine(
  inquiry: Inquiry,
  units: Iterable<number>,
  kinds: ReadonlyMap<string, Device>,
  listener: ScanListener,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const unit of units) {
    listener.asking(unit);
    const answer = await inquiry.ask(readBits(unit, 'coil', 0, 1), TURNAROUND_MS, 2);
    if (!answer.ok && answer.fault === 'port') throw new Error(`the port went away: ${answer.detail}`);
    if (!isAnswer(answer)) continue;
    const matches: Match[] = [];
    for (const [kind, device] of kinds) {
      const match = await matchOf(inquiry, unit, kind, device);
      if (match !== undefined) matches.push(match);
    }
    matches.sort((a, b) => rank(b) - rank(a) || a.kind.localeCompare(b.kind));
    const board = { unit, tookMs: answer.tookMs, matches };
    found.push(board);
    listener.found?.(board);
  }
  return found;
}

const isAnswer = (answer: Answer): boolean => answer.ok || answer.fault === 'exception';

/** What speaks for a kind; undefined when something speaks against it. */
async function matchOf(inquiry: Inquiry, unit: number, kind: string, device: Device): Promise<Match | undefined> {
  const { relays, hook, tamper, watchdog, setup, identity } = device;
  const bits = async (table: 'coil' | 'discrete', base: number, count: number) =>
    (await inquiry.ask(readBits(unit, table, base, count), device.turnaroundMs, 2)).ok;
  const register = async (at: number) => {
    const answer = await inquiry.ask(readRegister(unit, at), device.turnaroundMs, 2);
    return answer.ok ? answer.data.readUInt16BE(0) : undefined;
  };
  const facts: string[] = [];
  if (identity !== undefined) {
    const value = await register(identity.register);
    if (value !== identity.expect) return undefined;
    facts.push(`register ${identity.register} holds ${value}`);
  }
  if (!(await bits('coil', relays.base, relays.count))) return undefined;
  facts.push(`${relays.count} relays`);
  const inputs = tamper?.fc === hook.fc && tamper.base === hook.base + hook.count ? hook.count + 1 : hook.count;
  if (!(await bits(hook.fc, hook.base, inputs))) return undefined;
  facts.push(`${inputs} inputs`);
  if (watchdog !== undefined) {
    if ((await register(watchdog.register)) === undefined) return undefined;
    facts.push(`watchdog register ${watchdog.register}`);
  }
  for (const { register: at } of setup) if ((await register(at)) === undefined) return undefined;
  if (setup.length > 0) facts.push(`${setup.length} set-up registers`);
  const isExact = !(await bits('coil', relays.base, relays.count + 1)) && !(await bits(hook.fc, hook.base, inputs + 1));
  return { kind, isCertain: identity !== undefined, isExact, facts };
}
