import type { CutoffCommand, DoNotCallCommand, ReleaseCommand } from '../../config/schema/types.generated.js';
import type { CommandOrder } from './sign-command.js';

/** Thrown when the command line asks for nothing that can be ordered; the message says what to write. */
export class OrderFault extends Error {
  override readonly name = 'OrderFault';
}

/** The part of a command line that says what is ordered. */
export interface OrderWords {
  readonly cut?: string | undefined;
  readonly release?: string | undefined;
  readonly resend?: string | undefined;
  readonly snapshot?: boolean | undefined;
  readonly ping?: boolean | undefined;
  readonly 'do-not-call'?: readonly string[] | undefined;
  /** The signed warrant itself. */
  readonly warrant?: string | undefined;
  readonly hold?: string | undefined;
  readonly reason?: string | undefined;
  readonly by?: string | undefined;
}

/** What the words order. Throws an `OrderFault` unless they order exactly one thing. */
export function orderFrom(words: OrderWords): CommandOrder {
  const said = { reason: words.reason ?? 'ordered from the command line', by: words.by ?? 'headquarters' };
  const orders: CommandOrder[] = [];
  if (words.cut !== undefined) {
    orders.push({ ...said, type: 'cutoff', target: cutTarget(words.cut), hold: holdOf(words.hold ?? '10') });
  }
  if (words.release !== undefined) orders.push({ ...said, type: 'release', target: releaseTarget(words.release) });
  if (words.resend !== undefined) orders.push({ ...said, type: 'resend', ...rangeOf(words.resend) });
  if (words.snapshot) orders.push({ ...said, type: 'snapshot' });
  const listed = words['do-not-call'];
  if (listed !== undefined) orders.push({ ...said, type: 'do-not-call', ...numbersOf(listed) });
  if (words.warrant !== undefined) orders.push({ ...said, type: 'warrant', jws: warrantOf(words.warrant) });
  if (words.ping) orders.push({ ...said, type: 'ping' });
  const [order, second] = orders;
  if (order === undefined || second !== undefined) throw new OrderFault('exactly one order is wanted');
  return order;
}

/** Numbers in clear begin with +, all else is a token. */
function numbersOf(words: readonly string[]): Pick<DoNotCallCommand, 'numbers' | 'numberTokens'> {
  const wrong = words.find((word) => !/^(\+[1-9][0-9]{2,14}|[A-Za-z0-9_-]{43})$/.test(word));
  if (wrong !== undefined) throw new OrderFault(`"${wrong}" is neither a number (+442079460000) nor a token of one`);
  const numbers = words.filter((word) => word.startsWith('+'));
  const numberTokens = words.filter((word) => !word.startsWith('+'));
  return { ...(numbers.length > 0 && { numbers }), ...(numberTokens.length > 0 && { numberTokens }) };
}

function warrantOf(text: string): string {
  const jws = text.trim();
  if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}$/.test(jws)) {
    throw new OrderFault('it is no signed warrant, as `balise headquarters sign-warrant` makes it');
  }
  return jws;
}

function cutTarget(text: string): CutoffCommand['target'] {
  const [kind = '', id = ''] = split(text);
  if (kind === 'call' && id !== '') return { kind, call: id };
  if (kind === 'number' && id !== '') return { kind, numberToken: id };
  return releaseTarget(text);
}

function releaseTarget(text: string): ReleaseCommand['target'] {
  const [kind = '', id = ''] = split(text);
  if (kind === 'site' && id === '') return { kind };
  if (kind === 'wing' && id !== '') return { kind, wing: id };
  if (kind === 'handset' && id !== '') return { kind, handset: id };
  if (kind === 'person' && id !== '') return { kind, person: id };
  throw new OrderFault(`"${text}" is no target; write for instance handset:a-101`);
}

function split(text: string): readonly string[] {
  const at = text.indexOf(':');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function holdOf(text: string): number | 'until-released' {
  if (text === 'until-released') return text;
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) throw new OrderFault(`--hold ${text}: seconds, or until-released`);
  return Math.round(seconds * 1_000);
}

function rangeOf(text: string): { readonly from: number; readonly to: number } {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  if (from === undefined || to === undefined) throw new OrderFault(`--resend ${text}: write for instance 100-250`);
  return { from: Number(from), to: Number(to) };
}
