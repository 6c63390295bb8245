import type { CallSink } from '../calls/ports.js';
import type { Clock } from '../clock/clock.js';
import type { BoardId, HandsetId, WingId } from '../policy/ids.js';
import type { LineFacts, Lockdown } from '../policy/request.js';
import type { BoardStatus, LineAlarm } from './board-status.js';

/** What the line plane needs of the bus; `gateway/bus/` is one. */
export interface LineBus {
  publish(topic: string, payload: string): void;
  subscribe(filter: string, receive: (topic: string, payload: Buffer) => void): void;
}

/** One handset's pair, as it is wired. */
export interface LineFitting {
  readonly handset: HandsetId;
  readonly wing: WingId;
  readonly board: BoardId;
  /** Its relay and its hook input on the board, counted from 0. */
  readonly relay?: number;
  readonly hook?: number;
  /** It has keys, a lamp and a display. */
  readonly hasKeypad?: boolean;
}

/** Whom a panic button is for. */
export type PanicTarget = Extract<Lockdown['target'], { readonly kind: 'site' | 'wing' }>;

export interface BoardFitting {
  readonly board: BoardId;
  readonly agent: string;
  readonly allowNoWatchdog: boolean;
  /** Whose calls the panic button on this board ends; absent without a button. */
  readonly panic?: PanicTarget;
}

export interface LinesOptions {
  readonly clock: Clock;
  readonly bootId: string;
  readonly bus: LineBus;
  readonly sink: CallSink;
  readonly boards: readonly BoardFitting[];
  readonly lines: readonly LineFitting[];
  /** Whether policy lets this handset call at all now: its windows are open. Lockdowns are seen to here. */
  readonly mayCall: (handset: HandsetId) => boolean;
  readonly onAlarm?: (alarm: LineAlarm) => void;
  /** `line/<board>` for headquarters: each change, and the first. */
  readonly onStatus?: (board: BoardId, status: BoardStatus, detail?: string) => void;
  /** What a handset's hook is believed to be: each change; it begins as unknown. */
  readonly onHook?: (handset: HandsetId, hook: LineFacts['hook']) => void;
  /** A panic button was pressed. Its lines are not leased while it is; the rest is a cutoff, which is no matter of wires. */
  readonly onPanic?: (target: PanicTarget, board: BoardId) => void;
  /** Somebody lifted a handset and keyed this: digits as they came, to be treated as an INVITE's would be. */
  readonly onKeyed?: (handset: HandsetId, dialled: string) => void;
  /** Whether somebody takes the keys of a handset at the work desk; they then neither dial nor show. */
  readonly takesKey?: (handset: HandsetId, key: string) => boolean;
  /** Whether this is a code of the handset's that begins with `*`. */
  readonly isCode?: (handset: HandsetId, dialled: string) => boolean;
  /** Off-hook with no call for this long is told as `line.left-off-hook`, milliseconds. */
  readonly leftOffHookMs?: number;
}
