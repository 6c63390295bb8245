/** Calls that are up or that ended, and why they ended as they did. */
import type { ConsoleLanguage } from './people.js';

/** What decided, in languages other than English. */
export type FactWords = Readonly<Partial<Record<ConsoleLanguage, string>>>;

/** One ended call or refusal. */
export interface EndedView {
  readonly call: string;
  readonly handset: string;
  /** When it ended. */
  readonly at: string;
  readonly cause: string;
  readonly rule?: string;
  /** In English. */
  readonly fact?: string;
  /** The same in the console's other languages, where it is kept so. */
  readonly facts?: FactWords;
  readonly talkS: number;
  /** When the handset asked for it; absent for what was recorded before this was kept. */
  readonly requestedAt?: string;
  /** False: it went out to no trunk. */
  readonly attempted?: boolean;
}

/** GET /api/calls */
export interface CallsQuery {
  readonly handset?: string;
  /** `answered`, `refused`, `unanswered`, or a cause as it is written in the record. */
  readonly outcome?: string;
  /** Ended at or after, and before; instants. */
  readonly from?: string;
  readonly to?: string;
  /** The cursor of the answer before. */
  readonly before?: string;
  /** 1 to 200; 50 unless told otherwise. */
  readonly limit?: number;
}

/** Newest first. `before`: there are older ones, and this asks for them. */
export interface CallsView {
  readonly calls: readonly EndedView[];
  readonly before?: string;
}

/** GET /api/calls/:id: a call that is up or that ended. */
export interface CallView {
  readonly call: string;
  readonly handset: string;
  readonly wing?: string;
  readonly person?: string;
  /** Where it is in its life: `ended`, or a state of a call that is up. */
  readonly state: string;
  readonly trunk?: string;
  readonly requestedAt?: string;
  readonly answeredAt?: string;
  readonly endedAt?: string;
  readonly talkS?: number;
  readonly cause?: string;
  readonly rule?: string;
  readonly fact?: string;
  readonly nextAllowed?: string;
  readonly sipStatus?: number;
  readonly deadline?: string;
  readonly endsBy?: string;
  /** What was granted: until when and by which rule, how much talk and by which. */
  readonly granted?: {
    readonly notAfter: string;
    readonly notAfterBy: string;
    readonly maxTalkS: number;
    readonly maxTalkBy: string;
    readonly calleeZones: readonly string[];
  };
  readonly cutoffErrorMs?: number;
  readonly planes?: Readonly<Record<string, { readonly confirmed: boolean; readonly afterMs: number }>>;
  /** While it is up: as it stands. */
  readonly quality?: CallQuality;
  /** Who listens to it now: names of supervisors. For those alone who may listen, or read the audit chain. */
  readonly listeners?: readonly string[];
  /** Every rule judged; absent where that was not kept. */
  readonly why?: readonly Judgement[];
  /** What happened, milliseconds after the request; absent where that was not kept. */
  readonly steps?: readonly { readonly atMs: number; readonly what: string; readonly state: string }[];
  /** The order that cut it. */
  readonly cutBy?: { readonly by: string; readonly reason: string; readonly at: string };
}

/** One rule's part: its verdict, and what it has to say in the language of the session. */
export interface Judgement {
  readonly rule: string;
  readonly verdict: 'passes' | 'refuses';
  readonly words: readonly string[];
}

export interface StreamView {
  readonly packets: number;
  readonly lost: number;
  readonly jitterMs: number;
  readonly longestSilenceMs?: number;
  readonly roundTripMs?: number;
  readonly mos?: number;
}

export interface CallQuality {
  readonly handsetPackets: number;
  readonly trunkPackets: number;
  readonly dropped: number;
  readonly droppedAfterDeadline: number;
  readonly lost: number;
  readonly jitterMs: number;
  readonly handset?: StreamView;
  readonly trunk?: StreamView;
}
