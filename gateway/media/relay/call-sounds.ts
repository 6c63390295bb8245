import type { Speech } from '../control-protocol.js';
import type { RelayClock, RelayTimer } from './clock.js';
import type { SoundLibrary } from './sound-library.js';
import { SoundPlayer } from './sound-player.js';
import type { Stream } from './stream.js';
import { RING_BACK, SAMPLE_RATE, WARNING } from './warning-tone.js';

const LEAD_IN = (SAMPLE_RATE * 3) / 10;

/** A sentence that must be heard and cannot be: no such piece, or no codec that we speak. */
export class NoPrompt extends Error {}

export interface Listener {
  /** The stream that this side hears. */
  readonly stream: Stream;
  /** Sends it a packet of ours; false when the call may not talk any more. */
  readonly send: (packet: Buffer) => boolean;
}

type SideName = 'handset' | 'trunk';

/** What the relay itself says in a call: tones, warnings, prompts, the announcement. */
export class CallSounds {
  readonly #clock: RelayClock;
  readonly #library: SoundLibrary;
  readonly #listeners: Readonly<Record<SideName, Listener>>;
  readonly #players: Partial<Record<SideName, SoundPlayer>> = {};
  #timers: RelayTimer[] = [];
  /** The announcement goes on, and nothing may end it: the caller's gate opens with its last word. */
  #announcing = false;

  constructor(clock: RelayClock, library: SoundLibrary, listeners: Readonly<Record<SideName, Listener>>) {
    this.#clock = clock;
    this.#library = library;
    this.#listeners = listeners;
  }

  /** Speaks to the handset at once; tells how long it lasts, milliseconds. */
  announce(language: string, pieces: readonly string[], done: () => void): number {
    const { player, sound } = this.#ready('handset', language, pieces);
    // A telephone opens its ear with the 183, which is still on its way.
    const whole = new Int16Array(LEAD_IN + sound.length);
    whole.set(sound, LEAD_IN);
    player.start(whole, done);
    return ((LEAD_IN + sound.length) * 1_000) / SAMPLE_RATE;
  }

  /** Speaks to the handset in place of what is being said, then rings back for as long as nobody says otherwise. */
  say(language: string, pieces: readonly string[], ring: boolean): number {
    const isSilent = pieces.length === 0;
    const { player, sound } = isSilent
      ? { player: this.#player('handset'), sound: undefined }
      : this.#ready('handset', language, pieces);
    if (player?.audible !== true) throw new NoPrompt('no codec in which the handset could hear it');
    const rings = (): void => player.start(RING_BACK, rings);
    if (sound === undefined) {
      if (ring) rings();
      else player.stop();
      return 0;
    }
    player.start(sound, ring ? rings : undefined);
    return (sound.length * 1_000) / SAMPLE_RATE;
  }

  /** Ends what is being said to the handset. */
  hush(): void {
    this.#players.handset?.stop();
  }

  /** What begins the announcement to the trunk and says when it is over; undefined where there is none to make. */
  announcementFor(speech: Speech | undefined): ((done: () => void) => void) | undefined {
    if (speech === undefined || speech.announcement.length === 0) return undefined;
    const { player, sound } = this.#ready('trunk', speech.calleeLanguage, speech.announcement);
    return (done) => {
      this.#announcing = true;
      player.start(sound, () => {
        this.#announcing = false;
        done();
      });
    };
  }

  /** The warnings before the deadline, in words where there are some, else as tones. Planned anew, the old plan is void. */
  planWarnings(deadlineMs: number, warningsS: readonly number[], speech: Speech | undefined): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    const sides: readonly SideName[] = speech?.warnTrunk === true ? ['handset', 'trunk'] : ['handset'];
    for (const seconds of new Set(warningsS)) {
      const waitMs = deadlineMs - seconds * 1_000 - this.#clock.now();
      if (waitMs <= 0) continue;
      const pieces = speech?.warnings[seconds];
      for (const side of sides) {
        const language = side === 'handset' ? speech?.language : speech?.calleeLanguage;
        const words = pieces && language && this.#library.spoken(language, pieces);
        const player = this.#player(side);
        if (player?.audible !== true) continue;
        const sound = (): void => {
          if (side === 'handset' || !this.#announcing) player.start(words || WARNING);
        };
        this.#timers.push(this.#clock.after(waitMs, sound));
      }
    }
    if (speech !== undefined && speech.closing.length > 0) this.#planClosing(deadlineMs, speech);
  }

  /** The last word is spoken with the deadline, and nothing after it: no leg is held open for a farewell. */
  #planClosing(deadlineMs: number, { language, closing }: Speech): void {
    const player = this.#player('handset');
    const words = this.#library.spoken(language, closing);
    if (words === undefined || player?.audible !== true) return;
    const waitMs = deadlineMs - (words.length * 1_000) / SAMPLE_RATE - this.#clock.now();
    if (waitMs > 0) this.#timers.push(this.#clock.after(waitMs, () => player.start(words)));
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    for (const player of Object.values(this.#players)) player.stop();
  }

  #ready(side: SideName, language: string, pieces: readonly string[]) {
    const sound = this.#library.spoken(language, pieces);
    if (sound === undefined) throw new NoPrompt(`no "${pieces.join(' ')}" in ${language}`);
    const player = this.#player(side);
    if (!player?.audible) throw new NoPrompt(`no codec in which the ${side} could hear it`);
    return { player, sound };
  }

  #player(side: SideName): SoundPlayer | undefined {
    const { stream, send } = this.#listeners[side];
    if (stream.types === undefined) return undefined;
    const known = this.#players[side];
    // The final SDP may speak another codec than the early one.
    if (known !== undefined && known.types === stream.types) return known;
    const player = new SoundPlayer(this.#clock, stream.types, {
      get lastForwardedMs() {
        return stream.lastForwardedMs;
      },
      send,
    });
    this.#players[side] = player;
    stream.overlay = player;
    return player;
  }
}
