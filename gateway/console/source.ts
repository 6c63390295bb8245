import type { Readable } from 'node:stream';
import type { BoardsAdded, NewBoard } from './api/board-edits.js';
import type { PortView, ScanOrder, ScanView } from './api/board-scan.js';
import type { CallsQuery, CallsView, CallView, EndedView } from './api/calls.js';
import type {
  HandsetEdit,
  HandsetEdited,
  NewHandset,
  PhoneModelView,
  PhoneReplacement,
  ProvisionOrder,
} from './api/handset-edits.js';
import type { HandsetPage, HandsetView } from './api/handsets.js';
import type { WeekView, WhenView } from './api/hours.js';
import type { AudioTestView, LineTestView } from './api/line-tests.js';
import type { CutTarget, CutView } from './api/orders.js';
import type { BoardView, TrunkView, UplinkView } from './api/parts.js';
import type { ConsoleLanguage } from './api/people.js';
import type { AlarmView, AuditView, SiteView, StatusView } from './api/site.js';
import type { ScoreOrder, SheetsView, SheetView, WorkView } from './api/work.js';

/** Something that a person changed: who, what, and how it stood before and after. Never a secret, never a called number. */
export interface Change {
  /** The person's name, or the user of the machine. */
  readonly who: string;
  readonly role: string;
  /** The address that it came from; `socket` from this machine's command line. */
  readonly from: string;
  /** e.g. `person.added`, `cut`. */
  readonly what: string;
  /** Whom or what it was done to. */
  readonly subject: string;
  readonly reason?: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Those who look on; they are told at once. */
export interface SiteListener {
  /** Something in the view has changed; what it is, the view says. */
  changed(): void;
  ended(view: EndedView): void;
  alarm(view: AlarmView): void;
}

/** What is asked of when a handset may call: a number in any form, or the country that it would be in, two letters. */
export type WhenQuestion = { readonly number: string } | { readonly country: string };

/** An edit of one handset. */
export type HandsetOrder =
  | { readonly do: 'add'; readonly handset: NewHandset }
  | { readonly do: 'change'; readonly id: string; readonly change: HandsetEdit }
  | { readonly do: 'remove'; readonly id: string; readonly reason?: string }
  | { readonly do: 'disable' | 'enable'; readonly id: string; readonly reason: string }
  | { readonly do: 'replace'; readonly id: string; readonly phone: PhoneReplacement }
  | { readonly do: 'provision'; readonly id: string; readonly how: ProvisionOrder };

/** Where the console gets what it shows and sends what it orders; the gateway's root joins it. */
export interface ConsoleSource {
  view(): SiteView;
  status(): StatusView;
  boards(): readonly BoardView[];
  /** Serial ports of the machine. */
  ports(): readonly PortView[];
  /** Begins to look for boards on a port. Rejects with a `ConsoleFault`; nothing is asked of the port then. */
  scan(order: ScanOrder): Promise<ScanView>;
  /** Writes boards into the site's files, as `editHandset` does a handset: all of them or none. */
  addBoards(boards: readonly NewBoard[], by: Pick<Change, 'who' | 'role' | 'from'>): Promise<BoardsAdded>;
  trunks(): readonly TrunkView[];
  uplink(): UplinkView;
  /** What came of the work in the last thirty days. */
  work(): WorkView;
  /** Undefined for a handset that is none of this site's; so are the next two. */
  handset(handset: string): HandsetPage | undefined;
  /** Seven dates from `from` on (YYYY-MM-DD; default today), in the site's zone and in `zone` (default the site's). */
  week(handset: string, zone: string | undefined, from: string | undefined): WeekView | undefined;
  when(handset: string, question: WhenQuestion, language: ConsoleLanguage): WhenView | undefined;
  /** Newest first, at most `limit`; the cursor is the one of an answer before. */
  calls(query: CallsQuery & { readonly limit: number }): CallsView;
  /** With its quality as it stands, for a call that is up. */
  call(call: string, language: ConsoleLanguage): Promise<CallView | undefined>;
  /** Lets a supervisor hear a call: a WAV file without an end, which is destroyed to stop; or a stable code of why not. */
  hear(call: string, supervisor: string): Promise<Readable | string>;
  /** Calls that can be scored, and one of them; undefined: there is no such call, or it was of no campaign with criteria. */
  sheets(): SheetsView;
  sheet(call: string): SheetView | undefined;
  /** Keeps a score in the audit chain. Throws when the disk cannot take it. */
  score(order: ScoreOrder, by: string): void;
  /** Ends a call that the supervisor listens to; undefined when he listens to no such call. */
  cutHeard(call: string, supervisor: string): Promise<CutView | undefined>;
  /** The chain's last events, newest first. */
  audit(before: number | undefined, limit: number): AuditView;
  /** Ends the calls of a target now and holds them off, milliseconds. */
  cut(target: CutTarget, reason: string, hold: number | 'until-released', by: string): Promise<CutView>;
  /** The order in force for exactly this target, or null. */
  standing(target: CutTarget): HandsetView['cut'] | null;
  /** Lifts what was ordered of exactly this target; false when the disk cannot take it, and the orders stand. */
  release(target: CutTarget, by: string): boolean;
  /** Opens an idle line's relay and gives it back; what the board said of both. */
  testLine(handset: string): Promise<LineTestView>;
  /** Has the handset's next call within a minute hear itself. `none`: this media plane cannot. */
  testAudio(handset: string): AudioTestView | 'busy' | 'held' | 'none';
  /**
   * Edits the site's files, checked as a whole first, and has the gateway take them; who, what, before and after go into the
   * audit chain. Rejects with a `ConsoleFault`; nothing is changed then.
   */
  editHandset(order: HandsetOrder, by: Pick<Change, 'who' | 'role' | 'from'>): Promise<HandsetEdited>;
  /** Models of phones that can be provisioned. */
  models(): readonly PhoneModelView[];
  /** Writes a change into the audit chain; throws when the disk cannot take it. */
  audited(change: Change): void;
  alarm(code: string, detail: string): void;
  /** Returns what takes the listener off again. */
  listen(listener: SiteListener): () => void;
}
