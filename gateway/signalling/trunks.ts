import type Srf from 'drachtio-srf';
import type { Clock } from '../clock/clock.js';
import type { TrunkId } from '../policy/ids.js';
import type { TrunkAccount } from './account.js';
import { TrunkKeepAlive } from './trunk-keep-alive.js';
import { TrunkRegistration } from './trunk-registration.js';
import type { Violations } from './violations.js';

/** A gateway that stops waits no longer for carriers, milliseconds: what they keep of us ends by itself. */
const LEAVE_MS = 2_000;

/** Whether calls go to a trunk. */
export interface TrunkState {
  readonly trunk: TrunkId;
  readonly isUp: boolean;
}

interface Watched {
  readonly account: TrunkAccount;
  readonly keepAlive: TrunkKeepAlive | undefined;
  readonly registration: TrunkRegistration | undefined;
}

const isUp = ({ keepAlive, registration }: Watched): boolean =>
  keepAlive?.isUp !== false && registration?.isUp !== false;

/** The trunks of the site: registered, asked whether they are there, and skipped while they are not. */
export class Trunks {
  readonly #clock: Clock;
  readonly #watched: readonly Watched[];

  constructor(clock: Clock, accounts: readonly TrunkAccount[], violations: Violations) {
    this.#clock = clock;
    this.#watched = accounts.map((account) => {
      const { id, host, register = false, optionsS = 0, auth } = account;
      const say = (code: string, detail: string): void => violations.alarm({ code, detail, address: host });
      return {
        account,
        keepAlive:
          optionsS === 0
            ? undefined
            : new TrunkKeepAlive(clock, account, optionsS, (back, why) =>
                back ? say('trunk.up', `${id} answers again`) : say('trunk.down', `${id} is skipped: ${why}`),
              ),
        registration:
          !register || auth === undefined
            ? undefined
            : new TrunkRegistration(clock, account, auth, {
                refused: (why) => say('trunk.unregistered', `${id} does not register us: ${why}`),
                registered: () => say('trunk.registered', `${id} has registered us again`),
              }),
      };
    });
  }

  get states(): readonly TrunkState[] {
    return this.#watched.map((watched) => ({ trunk: watched.account.id, isUp: isUp(watched) }));
  }

  /** The trunks of these ids that are there, in the same order. */
  available(ids: readonly TrunkId[]): readonly TrunkAccount[] {
    return ids.flatMap((id) =>
      this.#watched.filter((watched) => watched.account.id === id && isUp(watched)).map(({ account }) => account),
    );
  }

  start(srf: Srf): void {
    for (const { keepAlive, registration } of this.#watched) {
      registration?.start(srf);
      keepAlive?.start(srf);
    }
  }

  /** Ends our registrations; settles when every carrier has answered, or after 2 s. */
  leave(): Promise<void> {
    return new Promise((resolve) => {
      const patience = this.#clock.after(LEAVE_MS, resolve);
      const left = Promise.all(this.#watched.map(({ registration }) => registration?.leave()));
      void left.then(() => {
        patience.cancel();
        resolve();
      });
    });
  }

  stop(): void {
    for (const { keepAlive, registration } of this.#watched) {
      registration?.stop();
      keepAlive?.stop();
    }
  }
}
