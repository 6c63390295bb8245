import type { LineMessage } from '../../config/schema/types.generated.js';
import type { BoardId } from '../policy/ids.js';
import type { BoardSeen } from './agent-contact.js';

/** What `line/<board>` says to headquarters. */
export type BoardStatus = LineMessage['state'];

export interface BoardJudgement {
  readonly status: BoardStatus;
  readonly detail?: string;
  /** Its lines may be leased, and what it says of them is believed. */
  readonly isUsable: boolean;
}

/** What a board is worth, by its agent's last word. A board that nobody speaks for is lost. */
export function judgeBoard(
  seen: BoardSeen | undefined,
  tamper: boolean,
  allowNoWatchdog: boolean,
  why: string,
): BoardJudgement {
  if (seen === undefined) return { status: 'lost', detail: why || 'its agent is not there', isUsable: false };
  if (seen.state === 'lost') return { status: 'lost', detail: seen.why ?? 'it does not answer', isUsable: false };
  if (seen.watchdog !== 'armed' && (seen.watchdog !== 'unknown' || seen.state === 'ok')) {
    const detail = `watchdog ${seen.watchdog}${seen.why === undefined ? '' : `: ${seen.why}`}`;
    if (!allowNoWatchdog || seen.state === 'refused') return { status: 'watchdog-missing', detail, isUsable: false };
    if (!tamper) return { status: 'watchdog-missing', detail, isUsable: true };
  }
  if (seen.state === 'refused') return { status: 'lost', detail: seen.why ?? 'it was refused', isUsable: false };
  return tamper ? { status: 'tamper', detail: 'its case is open', isUsable: true } : { status: 'ok', isUsable: true };
}

/** Conditions that are alarms while they last; each is raised once, and again only after it was gone. */
export type LineAlarmCode =
  | 'line.controller-lost'
  | 'line.watchdog-missing'
  | 'line.tamper'
  | 'line.relay-unconfirmed'
  | 'line.panic'
  | 'line.left-off-hook';

/** Something that people must know of a line or a board. `line.left-off-hook` is a notice, the others are alarms. */
export interface LineAlarm {
  readonly code: LineAlarmCode;
  readonly handset?: string;
  readonly board?: BoardId;
  readonly detail: string;
}

const ALARM_OF: Readonly<Partial<Record<BoardStatus, LineAlarmCode>>> = {
  lost: 'line.controller-lost',
  'watchdog-missing': 'line.watchdog-missing',
  tamper: 'line.tamper',
};

/** The alarm that a board raises by coming into this status, if any. */
export function alarmOf(status: BoardStatus): LineAlarmCode | undefined {
  return ALARM_OF[status];
}
