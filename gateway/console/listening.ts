import type { Readable } from 'node:stream';
import type { Session } from './sessions.js';

/** What is heard by whom: no sound outlives the session that asked for it. */
export class Listening {
  readonly #sounds = new Map<Session, Set<Readable>>();
  readonly #over = new WeakSet<Session>();

  /** Keeps a sound until it ends, or until its session does; that may have been meanwhile. */
  add(session: Session, sound: Readable): void {
    if (this.#over.has(session)) {
      sound.destroy();
      return;
    }
    const sounds = this.#sounds.get(session) ?? new Set();
    this.#sounds.set(session, sounds.add(sound));
    sound.once('close', () => {
      sounds.delete(sound);
      if (sounds.size === 0) this.#sounds.delete(session);
    });
  }

  sessionEnded(session: Session): void {
    this.#over.add(session);
    for (const sound of [...(this.#sounds.get(session) ?? [])]) sound.destroy();
  }

  stop(): void {
    for (const session of [...this.#sounds.keys()]) this.sessionEnded(session);
  }
}
