/** Tests of a handset’s line and of its speech. */

/** POST /api/handsets/:id/line-test. Times from the order to the board's word, milliseconds. */
export interface LineTestView {
  readonly outcome: string;
  readonly hook: string;
  readonly openedMs?: number;
  readonly closedMs?: number;
}

/** POST /api/handsets/:id/audio-test: the handset's next call until then, to whatever number, is answered by the gateway. */
export interface AudioTestView {
  readonly until: string;
}

/** How an audio test stands. */
export interface AudioTestProgress {
  readonly state: 'waiting' | 'playing' | 'done' | 'failed';
  /** `waiting`: to begin; `playing`: its end at the latest; else when it ended. */
  readonly until: string;
  /** Of the handset's speech, so far or in all. */
  readonly packets: number;
  readonly lost: number;
  readonly jitterMs: number;
  /** `failed`: why. */
  readonly why?: AudioTestFault;
}

export type AudioTestFault =
  | 'nobody-called'
  | 'nothing-heard'
  | 'held'
  | 'no-media'
  | 'no-signalling'
  | 'cut'
  | 'stopped';
