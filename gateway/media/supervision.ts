import type { CallId } from '../policy/ids.js';
import type { TapPorts } from './recording/recorder.js';

/** Who wants to listen to what. */
export interface ListeningRequest {
  readonly call: CallId;
  /** The supervisor who is signed in at the console. */
  readonly supervisor: string;
  /** The call's campaign states that its calls may be listened to. */
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
  | 'supervision.no-call';

export interface SupervisionOptions {
  /** Begins or ends (`to` absent) a copy of a call's streams; false when no such call is up. */
  readonly tap: (call: CallId, tap: string, to?: TapPorts) => Promise<boolean>;
  /** Writes to the audit chain. Throws when the disk does not take it: then nobody listens. */
  readonly audit: (what: 'begun' | 'ended', call: CallId, supervisor: string) => void;
}

/** Who listens to which call: each begins and ends with an entry in the audit chain that both ends can see. */
export class Supervision {
  readonly #options: SupervisionOptions;
  readonly #listening = new Map<CallId, Set<string>>();

  constructor(options: SupervisionOptions) {
    this.#options = options;
  }

  /** Lets a supervisor hear both streams, as RTP at `to`; settles with undefined, or with why not. */
  async begin(request: ListeningRequest, to: TapPorts): Promise<ListeningRefusal | undefined> {
    const { call, supervisor, isStated, isPrivileged } = request;
    if (isPrivileged) return 'supervision.privileged';
    if (!isStated) return 'supervision.not-stated';
    if (supervisor === '') return 'supervision.not-signed-in';
    const listeners = this.#listening.get(call) ?? new Set<string>();
    if (listeners.has(supervisor)) return 'supervision.listening-already';
    try {
      this.#options.audit('begun', call, supervisor);
    } catch {
      return 'supervision.not-audited';
    }
    listeners.add(supervisor);
    this.#listening.set(call, listeners);
    if (await this.#options.tap(call, `supervisor:${supervisor}`, to)) return undefined;
    this.#over(call, supervisor);
    return 'supervision.no-call';
  }

  /** The supervisor has heard enough. Harmless when he does not listen. */
  async end(call: CallId, supervisor: string): Promise<void> {
    if (!this.#over(call, supervisor)) return;
    await this.#options.tap(call, `supervisor:${supervisor}`);
  }

  /** The call is over, and with it all listening. */
  callEnded(call: CallId): void {
    for (const supervisor of this.#listening.get(call) ?? []) this.#over(call, supervisor);
  }

  #over(call: CallId, supervisor: string): boolean {
    const listeners = this.#listening.get(call);
    if (listeners?.delete(supervisor) !== true) return false;
    if (listeners.size === 0) this.#listening.delete(call);
    this.#options.audit('ended', call, supervisor);
    return true;
  }
}
