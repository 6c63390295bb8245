import type { Clock, Timer } from '../../clock/clock.js';
import { waveHeader } from '../copies/wave.js';
import type { Leg } from '../media-session.js';
import { LAWS } from '../relay/g711.js';
import { WARNING } from '../relay/warning-tone.js';
import type { NgAnswer, NgFields } from './ng-client.js';

export type NgAsk = (command: string, fields?: NgFields) => Promise<NgAnswer>;

/** After each piece a breath, milliseconds; the daemon also begins a little later than it says. */
const PAUSE_MS = 150;

/** The warning as A-law. */
export const WARNING_CLIP: Buffer = Buffer.from(
  Uint8Array.from(WARNING, (sample) => LAWS.pcma.encode[sample + 32_768] as number),
);

/** A clip of A-law as the daemon takes a file in its order: a WAV, one character a byte. */
const blobOf = (clip: Buffer): string =>
  Buffer.concat([waveHeader({ encoding: 'alaw', channels: 1, bytes: clip.length }), clip]).toString('latin1');

/** Asked before anything is said: whether the session will stand for so long without a word of ours. */
export type NgRoom = (forMs: number) => Promise<boolean>;

const lengthMs = (clip: Buffer): number => clip.length / 8 + PAUSE_MS;

/** What is said in one call of the daemon's: clips one after the other, to one side; what is said next ends what was said. */
export class NgSounds {
  readonly #ask: NgAsk;
  readonly #clock: Clock;
  readonly #room: NgRoom;
  readonly #next: Partial<Record<Leg, Timer>> = {};
  /** Counts what is said to each side, so that an answer to an earlier order starts nothing. */
  readonly #turn: Record<Leg, number> = { handset: 0, trunk: 0 };

  constructor(ask: NgAsk, clock: Clock, room: NgRoom) {
    this.#ask = ask;
    this.#clock = clock;
    this.#room = room;
  }

  /** `done` is told at the end of the last clip: undefined, or why it was not all said. */
  say(side: Leg, clips: readonly Buffer[], done: (fault?: string) => void = () => undefined): void {
    this.#next[side]?.cancel();
    this.#turn[side]++;
    const turn = this.#turn[side];
    void this.#room(clips.reduce((sum, clip) => sum + lengthMs(clip), 0)).then((isRoom) => {
      if (turn !== this.#turn[side]) return;
      if (isRoom) this.#say(side, turn, clips, done);
      else done('media.lost: the session does not stand for as long');
    });
  }

  /** Nothing more is said; `done` of what is broken off is not called. */
  stop(): void {
    for (const side of ['handset', 'trunk'] as const) {
      this.#next[side]?.cancel();
      this.#turn[side]++;
    }
  }

  #say(side: Leg, turn: number, [clip, ...rest]: readonly Buffer[], done: (fault?: string) => void): void {
    if (clip === undefined) {
      done();
      return;
    }
    void this.#ask('play media', { 'from-tag': side, blob: blobOf(clip) }).then((answer) => {
      if (turn !== this.#turn[side]) return;
      if (answer.result === 'failed') {
        done(`${answer.code}: ${answer.why}`);
        return;
      }
      this.#next[side] = this.#clock.after(lengthMs(clip), () => this.#say(side, turn, rest, done));
    });
  }
}
