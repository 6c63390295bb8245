import { Readable } from 'node:stream';
import type { Clock } from '../clock/clock.js';
import type { CallId } from '../policy/ids.js';
import { CallEars, type Tap } from './copies/call-ears.js';
import { linearOf, waveHeader } from './copies/wave.js';

/** What of a call decides whether it may be listened to. */
export interface SupervisedCall {
  /** The call's campaign, or its profile, states that its calls may be listened to. */
  readonly isStated: boolean;
  /** A lawyer's or an ombudsman's number: nobody listens. */
  readonly isPrivileged: boolean;
}

/** Why somebody may not listen; stable codes. */
export type ListeningRefusal =
  | 'supervision.privileged'
  | 'supervision.not-stated'
  | 'supervision.not-signed-in'
  | 'supervision.listening-already'
  | 'supervision.not-audited'
  | 'supervision.fault'
  | 'supervision.no-call';

export interface SupervisionOptions {
  readonly clock: Clock;
  /** The calls that are up and may talk; undefined for any other. */
  readonly facts: (call: CallId) => SupervisedCall | undefined;
  readonly tap: Tap;
  /** Writes to the audit chain. Throws when the disk does not take it: then nobody listens. */
  readonly audit: (what: 'begun' | 'ended', call: CallId, supervisor: string) => void;
  readonly onAlarm: (code: string, detail: string) => void;
}

/** A listener who takes nothing for so long has gone: sound that waits for him, bytes (30 s). */
const MOST_WAITING = 960_000;

interface Listener {
  readonly sound: Readable;
  readonly ears: CallEars;
}

/** Who listens to which call: each begins and ends with an entry in the audit chain that both ends can see. */
export class Supervision {
  readonly #options: SupervisionOptions;
  /** By call and supervisor. While one begins it has no ears yet. */
  readonly #listening = new Map<CallId, Map<string, Listener | undefined>>();

  constructor(options: SupervisionOptions) {
    this.#options = options;
  }

  /**
   * Lets a supervisor who is signed in hear a call; settles with a WAV file without an end (two channels, 16 bits, 8 kHz; the
   * handset's on the left), or with why not. Destroying it is the end of the listening; the end of the call ends it.
   */
  async listen(call: CallId, supervisor: string): Promise<Readable | ListeningRefusal> {
    const { facts, audit } = this.#options;
    const known = facts(call);
    if (known === undefined) return 'supervision.no-call';
    if (known.isPrivileged) return 'supervision.privileged';
    if (!known.isStated) return 'supervision.not-stated';
    if (supervisor === '') return 'supervision.not-signed-in';
    const listeners = this.#listening.get(call) ?? new Map<string, Listener | undefined>();
    if (listeners.has(supervisor)) return 'supervision.listening-already';
    try {
      audit('begun', call, supervisor);
    } catch {
      return 'supervision.not-audited';
    }
    listeners.set(supervisor, undefined);
    this.#listening.set(call, listeners);
    return this.#begin(call, supervisor, listeners);
  }

  async #begin(call: CallId, supervisor: string, listeners: Map<string, Listener | undefined>) {
    const { clock, tap, onAlarm } = this.#options;
    const sound = new Readable({ read: () => undefined });
    sound.push(waveHeader({ encoding: 'linear', channels: 2 }));
    let ears: CallEars;
    try {
      ears = await CallEars.open(clock, (heard) => {
        if (sound.destroyed || sound.readableEnded) return;
        sound.push(linearOf(heard));
        if (sound.readableLength > MOST_WAITING) sound.destroy();
      });
    } catch (error) {
      onAlarm('supervision.fault', `nobody can listen: ${String(error)}`);
      this.#over(call, supervisor);
      return 'supervision.fault';
    }
    // The call may have ended in the meantime.
    if (listeners.has(supervisor) && (await tap(call, tapOf(supervisor), ears.ports)) && listeners.has(supervisor)) {
      listeners.set(supervisor, { sound, ears });
      sound.once('close', () => void this.end(call, supervisor));
      return sound;
    }
    ears.close();
    await tap(call, tapOf(supervisor));
    this.#over(call, supervisor);
    return 'supervision.no-call';
  }

  /** The supervisor has heard enough. Harmless when he does not listen. */
  async end(call: CallId, supervisor: string): Promise<void> {
    if (!this.#over(call, supervisor)) return;
    await this.#options.tap(call, tapOf(supervisor));
  }

  /** The call is over, and with it all listening. */
  callEnded(call: CallId): void {
    for (const supervisor of [...(this.#listening.get(call)?.keys() ?? [])]) this.#over(call, supervisor);
  }

  /** Who listens to a call now. */
  listeners(call: CallId): readonly string[] {
    return [...(this.#listening.get(call)?.keys() ?? [])];
  }

  endAll(): void {
    for (const call of [...this.#listening.keys()]) this.callEnded(call);
  }

  #over(call: CallId, supervisor: string): boolean {
    const { audit, onAlarm } = this.#options;
    const listeners = this.#listening.get(call);
    if (listeners?.has(supervisor) !== true) return false;
    const listener = listeners.get(supervisor);
    listeners.delete(supervisor);
    if (listeners.size === 0) this.#listening.delete(call);
    listener?.ears.close();
    if (listener?.sound.destroyed === false) listener.sound.push(null);
    try {
      audit('ended', call, supervisor);
    } catch (error) {
      onAlarm('supervision.not-audited', `the end of a listening is not on record: ${String(error)}`);
    }
    return true;
  }
}

const tapOf = (supervisor: string): string => `supervisor:${supervisor}`;
