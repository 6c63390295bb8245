import type Srf from 'drachtio-srf';
import type { Clock, Timer } from '../clock/clock.js';
import type { TrunkAccount } from './account.js';
import { listenerOf, sendRequest, trunkUri } from './trunk-request.js';

/** A trunk that says nothing at all for this long is not there, milliseconds: four requests by timers A and E (RFC 3261 §17.1). */
export const PATIENCE_MS = 4_000;

/**
 * Asks a trunk by OPTIONS, every so often, whether it is there (RFC 3261 §11). Any answer of the carrier's says so but 503;
 * until the first answer, or the first silence, it is believed to be.
 */
export class TrunkKeepAlive {
  #isUp = true;
  #next: Timer | undefined;
  #patience: Timer | undefined;
  /** The application of the engine that runs; undefined while none does. */
  #srf: Srf | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly trunk: TrunkAccount,
    private readonly everyS: number,
    /** Told when it comes or goes, and why it went. */
    private readonly changed: (isUp: boolean, why: string) => void,
  ) {}

  get isUp(): boolean {
    return this.#isUp;
  }

  start(srf: Srf): void {
    this.#srf = srf;
    this.#ask(srf);
  }

  stop(): void {
    this.#srf = undefined;
    this.#next?.cancel();
    this.#patience?.cancel();
  }

  #ask(srf: Srf): void {
    this.#patience = this.clock.after(PATIENCE_MS, () => this.#learn(false, 'no answer to OPTIONS'));
    const headers = {
      From: '<sip:localhost>',
      Contact: '<sip:localhost>',
      'X-Balise-Listener': listenerOf(this.trunk),
    };
    sendRequest(srf, { method: 'OPTIONS', uri: trunkUri(this.trunk), headers }, undefined, (answer) => {
      if (this.#srf !== srf) return;
      this.#patience?.cancel();
      const status = answer?.response.status;
      // What the engine answers in the place of a peer that does not: 408, and 503 where it cannot be reached.
      if (status === undefined) this.#learn(false, 'it cannot be reached');
      else if (status === 408) this.#learn(false, 'no answer to OPTIONS');
      else this.#learn(status !== 503, 'it answers OPTIONS with 503, or its port is closed');
      this.#next = this.clock.after(this.everyS * 1_000, () => this.#ask(srf));
    });
  }

  #learn(isUp: boolean, why: string): void {
    if (this.#isUp === isUp) return;
    this.#isUp = isUp;
    this.changed(isUp, why);
  }
}
