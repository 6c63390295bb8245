import type { ClientHub } from '../client/client-hub.js';
import type { EngineClock } from '../clock.js';
import type { Dialog } from '../dialog/dialog.js';

export type Source = 'network' | 'application';

/** Why a call ended, in drachtio's words. */
export type StopReason =
  | 'call-rejected'
  | 'call-canceled'
  | 'normal-release'
  | 'session-expired'
  | 'ack-timeout'
  | 'system-initiated-termination'
  | 'system-error-initiated-termination';

/** drachtio's reason for the engine's own words. */
export function stopReason(why: string): StopReason {
  if (why === 'ACK timeout') return 'ack-timeout';
  return why.startsWith('Session') ? 'session-expired' : 'system-initiated-termination';
}

/** Tells whoever has asked for `cdr:attempt`, `cdr:start` and `cdr:stop` of the calls; nothing is done while nobody has. */
export class CallEvents {
  constructor(
    readonly hub: ClientHub,
    readonly clock: EngineClock,
  ) {}

  attempt(source: Source, message: string): void {
    if (this.hub.wants('cdr:attempt')) this.#tell('cdr:attempt', `${source}|${this.clock.timeOfDay()}|`, message);
  }

  start(dialog: Dialog, source: Source, message: string): void {
    if (!this.hub.wants('cdr:start')) return;
    this.#tell('cdr:start', `${source}|${this.clock.timeOfDay()}|${dialog.role}|`, message);
  }

  stop(source: Source, reason: StopReason, message: string): void {
    if (this.hub.wants('cdr:stop')) this.#tell('cdr:stop', `${source}|${this.clock.timeOfDay()}|${reason}|`, message);
  }

  #tell(event: string, facts: string, message: string): void {
    this.hub.tellAll(event, `${event}|${facts}\r\n${message}`);
  }
}
