/** Who is signed on where, and whether a code and a PIN are right: failures are counted on disk, and lock. */
import type { Person } from '../../config/schema/types.generated.js';
import type { Clock } from '../clock/clock.js';
import type { Hours } from '../policy/hours.js';
import { type HandsetId, personId } from '../policy/ids.js';
import { sharedLanguages } from './campaign.js';
import { ratesOf } from './chosen.js';
import { afterFailure, NO_FAILURES } from './lockout.js';
import { isPin, type PinCheck } from './pin.js';
import type { WorkStore } from './ports.js';
import type { SignOnVerdict } from './session-state.js';
import { signOnRefusal } from './sign-on.js';

export interface ReceptionOptions {
  readonly clock: Clock;
  readonly store: WorkStore;
  readonly hoursOf: (person: Person, handset: HandsetId) => Hours;
  readonly newId: () => string;
  readonly isLockedOut?: (person: string) => boolean;
  readonly isPin?: PinCheck;
}

export interface Checked {
  readonly verdict: SignOnVerdict;
  readonly alarms: readonly { readonly code: string; readonly message: string }[];
  /** When the person's hours end, epoch milliseconds. */
  readonly leavesAtMs?: number;
}

interface Asked {
  readonly handset: HandsetId;
  readonly code: string;
  readonly pin: string;
  /** Only this person may go on. */
  readonly resuming?: string;
}

export class Reception {
  /** By person: the session, and where. */
  readonly #signedOn = new Map<string, { readonly session: string; readonly handset: HandsetId }>();

  constructor(private readonly options: ReceptionOptions) {}

  release(session: string): void {
    for (const [person, one] of this.#signedOn) if (one.session === session) this.#signedOn.delete(person);
  }

  /** Judges a code and a PIN. Rejects when the disk cannot be asked. */
  async check({ handset, code, pin, resuming }: Asked): Promise<Checked> {
    const { store, clock, hoursOf, newId, isLockedOut } = this.options;
    const known = store.personByCode(code);
    const person = known && isLockedOut?.(known.id) === true ? { ...known, suspended: true } : known;
    const isPinRight = await (this.options.isPin ?? isPin)(pin, person?.pin);
    // Read after the wait: two checks at once must not both miss the other's failure or its sign-on.
    const nowMs = clock.wall().epochMilliseconds;
    const campaign = person === undefined ? undefined : this.#firstCampaign(person);
    const hours = person === undefined ? undefined : hoursOf(person, handset);
    const why = signOnRefusal(
      {
        person,
        isPinRight,
        handset,
        failuresOfCode: store.failures('code', code),
        failuresOfHandset: store.failures('handset', handset),
        signedOnAt: person === undefined || resuming === person.id ? undefined : this.#signedOn.get(person.id)?.handset,
        hours: hours ?? { stretchAt: () => ({ isOpen: false, from: 0, to: 0, answersTo: 0 }) },
        hasCampaign: campaign !== undefined,
      },
      nowMs,
    );
    if (why === 'wrong') return { verdict: { ok: false, why }, alarms: this.#fail(handset, code, nowMs) };
    if (why === 'elsewhere') {
      const message = `${person?.id} keyed code and PIN at ${handset}, signed on at another handset`;
      return { verdict: { ok: false, why }, alarms: [{ code: 'work.second-handset', message }] };
    }
    if (why !== undefined || person === undefined || campaign === undefined)
      return { verdict: { ok: false, why: why ?? 'fault' }, alarms: [] };
    for (const [kind, id] of [
      ['code', code],
      ['handset', handset],
    ] as const)
      if (store.failures(kind, id).count > 0) store.setFailures(kind, id, NO_FAILURES);
    const session = this.#signedOn.get(person.id)?.session ?? newId();
    if (resuming === undefined) this.#signedOn.set(person.id, { session, handset });
    const [language = 'en'] = person.languages;
    const rates = ratesOf(campaign);
    const verdict = {
      ok: true,
      session,
      person: personId(person.id),
      code,
      language,
      campaign: campaign.id,
      rates,
    } as const;
    const leavesAtMs = hours?.stretchAt(nowMs).to;
    return { verdict, alarms: [], ...(leavesAtMs !== undefined && Number.isFinite(leavesAtMs) && { leavesAtMs }) };
  }

  #firstCampaign(person: Person) {
    const campaigns = this.options.store.campaigns();
    return person.campaigns
      .flatMap((id) => campaigns.find((one) => one.id === id) ?? [])
      .find((one) => sharedLanguages(person, one).length > 0);
  }

  #fail(handset: HandsetId, code: string, nowMs: number): Checked['alarms'] {
    const { store } = this.options;
    return (
      [
        ['code', code],
        ['handset', handset],
      ] as const
    ).flatMap(([kind, id]) => {
      const { locks, ...failures } = afterFailure(store.failures(kind, id), nowMs);
      store.setFailures(kind, id, failures);
      // Which code it was would help whoever reads the alarm to try the next PIN.
      const what = kind === 'code' ? 'a code' : 'the handset';
      return locks
        ? [{ code: 'work.locked', message: `${failures.count} wrong codes or PINs at ${handset}: ${what} is locked` }]
        : [];
    });
  }
}
