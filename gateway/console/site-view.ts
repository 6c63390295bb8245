/** What the console shows: plain values, made anew at each look. No called number is ever among them. */
export interface HandsetView {
  readonly handset: string;
  readonly wing: string;
  readonly phase: 'idle' | 'calling' | 'ringing' | 'talking' | 'ended';
  readonly hook: 'on' | 'off' | 'unknown' | 'none';
  readonly relay: 'connected' | 'open' | 'unknown' | 'none';
  readonly registered: boolean;
  readonly call?: string;
  /** Whole seconds of talk left, while talking. */
  readonly leftS?: number;
}

export interface PlaneView {
  readonly name: string;
  readonly state: 'up' | 'down';
  readonly detail: string;
}

/** One ended call or refusal. */
export interface EndedView {
  readonly call: string;
  readonly handset: string;
  readonly at: string;
  readonly cause: string;
  readonly rule?: string;
  readonly fact?: string;
  readonly talkS: number;
}

export interface SiteView {
  readonly site: string;
  readonly gateway: string;
  readonly at: string;
  readonly clock: string;
  readonly planes: readonly PlaneView[];
  readonly handsets: readonly HandsetView[];
  readonly ended: readonly EndedView[];
  readonly alarms: readonly { readonly at: string; readonly code: string; readonly detail: string }[];
}

/** What an order to cut came to. */
export interface CutView {
  readonly calls: number;
  readonly silentMs: number;
  readonly complete: boolean;
}

/** Where the console gets its view from and sends its orders to; `main.ts` joins it. */
export interface ConsoleSource {
  view(): SiteView;
  /** Ends the calls of a handset, or of the whole site when none is named, and holds them off for `holdMs`. */
  cut(handset: string | undefined, reason: string, holdMs: number): Promise<CutView>;
  /** Lifts what was ordered of this handset; false when the disk cannot take it, and the orders stand. */
  release(handset: string): boolean;
  /** Opens an idle line's relay and gives it back; what the board said of both. */
  testLine(handset: string): Promise<LineTestView>;
}

/** What a test of a line came to; times from order to the board's word, milliseconds. */
export interface LineTestView {
  readonly outcome: string;
  readonly hook: string;
  readonly openedMs?: number;
  readonly closedMs?: number;
}
