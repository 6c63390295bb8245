import type { Clock, Timer } from '../../clock/clock.js';
import { waveHeader } from '../copies/wave.js';
import type { Leg } from '../media-session.js';
import { LAWS } from '../relay/g711.js';
import { RING_BACK, SAMPLE_RATE, WARNING } from '../relay/warning-tone.js';
import type { NgAnswer, NgFields } from './ng-client.js';

export type NgAsk = (command: string, fields?: NgFields) => Promise<NgAnswer>;

/** After each piece a breath, milliseconds; the daemon also begins a little later than it says. */
const PAUSE_MS = 150;

const clipOf = (sound: Int16Array): Buffer =>
  Buffer.from(Uint8Array.from(sound, (sample) => LAWS.pcma.encode[sample + 32_768] as number));

/** The warning as A-law. */
export const WARNING_CLIP: Buffer = clipOf(WARNING);
/** Ring-back is its second of tone, then a silence in which the session's lease can be renewed. */
const RING_CLIP: Buffer = clipOf(RING_BACK.subarray(0, SAMPLE_RATE));
const RING_EVERY_MS = (RING_BACK.length * 1_000) / SAMPLE_RATE;

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

  /** Rings back to the handset until something else is said to it, or it is hushed. */
  ring(): void {
    this.say('handset', [RING_CLIP], (fault) => {
      if (fault === undefined)
        this.#next.handset = this.#clock.after(RING_EVERY_MS - lengthMs(RING_CLIP), () => this.ring());
    });
  }

  /** Ends what is being said to the handset. */
  hush(): void {
    this.#next.handset?.cancel();
    this.#turn.handset++;
    void this.#ask('stop media', { 'from-tag': 'handset' });
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
