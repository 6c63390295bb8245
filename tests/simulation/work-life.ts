import type { Person } from '../../config/schema/types.generated.js';
import type { Calls } from '../../gateway/calls/calls.js';
import type { ContactNumbers } from '../../gateway/calls/contact-numbers.js';
import type { Judge } from '../../gateway/calls/judge.js';
import type { CallObserver, CallRequest } from '../../gateway/calls/ports.js';
import type { Clock } from '../../gateway/clock/clock.js';
import type { OwnList } from '../../gateway/do-not-call/own-list.js';
import { type Hours, NEVER, together } from '../../gateway/policy/hours.js';
import { HoursBook } from '../../gateway/policy/hours-book.js';
import { type CallId, type E164, type HandsetId, personId } from '../../gateway/policy/ids.js';
import type { CompiledPolicy } from '../../gateway/policy/policy.js';
import { LiveWork } from '../../gateway/site-live-work.js';
import { ContactHours } from '../../gateway/work/contact-hours.js';
import { ContactJudge } from '../../gateway/work/contact-judge.js';
import { DeskPlaces } from '../../gateway/work/desk-places.js';
import { DialogSeal } from '../../gateway/work/dialog-seal.js';
import type { NumberSeal } from '../../gateway/work/number-seal.js';
import type { WorkStore } from '../../gateway/work/ports.js';
import { WorkDesk } from '../../gateway/work/work-desk.js';
import type { ContactCall, WorkSeam } from '../../gateway/work/work-seam.js';
import { Dead, type Life } from './life.js';
import type { SimSignalling } from './sim-signalling.js';
import { SITE_ZONE } from './sim-site.js';
import { SIGN_ON } from './work-site.js';

export interface WorkLifeParts {
  readonly life: Life;
  readonly clock: Clock;
  readonly bootId: string;
  readonly store: WorkStore;
  readonly seal: NumberSeal;
  readonly key: Buffer;
  readonly policy: () => CompiledPolicy;
  readonly signalling: SimSignalling;
  readonly calls: () => Calls;
  readonly handsets: readonly HandsetId[];
  readonly numberToken: (number: E164) => string;
  readonly ownList: Pick<OwnList, 'addAll' | 'refusedAll'>;
  readonly newId: () => string;
  readonly newCallId: () => CallId;
  readonly track: <T>(work: Promise<T>) => Promise<T>;
  /** Somebody at a handset hears this. */
  readonly heard: (handset: HandsetId, pieces: readonly string[]) => void;
  readonly requested: (request: CallRequest) => void;
  /** What a callee said is about to be kept, and is. */
  readonly telling: (number: E164) => void;
  readonly kept: (number: E164, word: 'never' | 'refused') => void;
  readonly isDeafToChanges: boolean;
}

/** How often the desk looks for what other processes have changed, milliseconds: what it takes until a narrower hour ends a call. */
export const LOOK_MS = 60_000;
const LOOK_FOR_WORK_MS = 1_800_000;

/** The production work of one life of the gateway: desk, chooser, sessions, leases; joined to the simulated planes as the root joins them. */
export class WorkLife {
  readonly desk: WorkDesk;
  readonly places: DeskPlaces;
  readonly live: LiveWork;
  private readonly dialogs: DialogSeal;

  constructor(private readonly parts: WorkLifeParts) {
    const { clock, bootId, store, policy, life, newId, track } = parts;
    this.dialogs = new DialogSeal(parts.key);
    const book = new HoursBook(SITE_ZONE, () => false);
    const hoursOf = (person: Person, handset: HandsetId): Hours =>
      together([book.of(person), policy().handsets.get(handset)?.own.hours ?? NEVER]);
    this.desk = new WorkDesk({
      ...{ clock, bootId, store, seam: this.seam, hoursOf, siteLanguage: 'en', newId },
      ...{ lookEveryMs: LOOK_FOR_WORK_MS, glanceEveryMs: LOOK_FOR_WORK_MS },
      hours: new ContactHours(
        () => policy().callee,
        SITE_ZONE,
        () => false,
      ),
      zonesOfCountry: (country) => policy().callee.placeIn(country)?.zones ?? [],
      // The production hash takes fifty milliseconds of real time by design.
      isPin: (pin, hash) => track(Promise.resolve(pin === hash)),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    });
    this.places = new DeskPlaces(
      {
        say: (call, { pieces }) => this.say(call, pieces),
        hush: () => undefined,
        backAtDesk: () => undefined,
        replaced: (call) => parts.calls().event(call, { type: 'handset-hung-up' }),
        lostHandset: (call) =>
          parts.calls().event(call, { type: 'handset-failed', status: 488, why: 'not joined again' }),
      },
      () => this.desk,
    );
    this.live = new LiveWork({
      ...{ clock, store, lookEveryMs: LOOK_MS },
      judgeAgain: () => {
        if (!parts.isDeafToChanges) parts.calls().policyChanged();
      },
      onFault: (fault) => {
        if (fault instanceof Dead || life.isDead) throw new Dead();
      },
    });
  }

  /** A disk that cannot be read is an alarm, and nobody is given work. */
  start(): void {
    try {
      this.desk.start();
      this.live.start();
    } catch (fault) {
      if (fault instanceof Dead || this.parts.life.isDead) throw new Dead();
    }
  }

  stop(): void {
    this.live.stop();
    this.desk.stop();
  }

  /** The code of a handset's profile asks for the desk. */
  marked(request: CallRequest): CallRequest {
    if (request.dialled !== SIGN_ON || !this.parts.handsets.includes(request.handset)) return request;
    this.places.asked(request.call, request.handset);
    return { ...request, desk: true };
  }

  judge(judge: Judge): Judge {
    const { numberToken } = this.parts;
    return new ContactJudge({
      judge,
      numberOf: this.numberOf,
      asked: (dialled) => this.live.asked(dialled),
      numberToken,
    });
  }

  get numbers(): ContactNumbers {
    return {
      numberOf: this.numberOf,
      sealDialog: (dialog) => this.dialogs.seal(dialog),
      openDialog: (dialog) => this.dialogs.open(dialog),
    };
  }

  readonly observer: CallObserver = {
    handset: (...told) => this.places.phase(...told),
    ended: (record) => {
      this.live.ended(record.call);
      this.places.ended(record);
    },
    cutoff: () => undefined,
  };

  private readonly numberOf = (dialled: string): E164 => {
    const stored = this.parts.store.sealed(Number(dialled.slice('contact:'.length)));
    if (stored === undefined) throw new Error(`${dialled} is no contact`);
    return this.parts.seal.unseal(stored.sealed, stored.token);
  };

  private get seam(): WorkSeam {
    const { parts } = this;
    return {
      play: (handset, prompts) => this.places.say(handset, { language: 'en', pieces: prompts }),
      hush: (handset) => this.places.hush(handset),
      dial: (call) => this.places.whenOver(call.handset, call.token, () => this.dial(call)),
      endCall: (handset) => {
        if (this.places.forget(handset)) return;
        const call = this.places.contactCallOf(handset);
        if (call !== undefined) parts.calls().event(call, { type: 'handset-hung-up' });
      },
      close: (handset) => {
        const call = this.places.deskOf(handset);
        if (call !== undefined) parts.calls().event(call, { type: 'trunk-hung-up' });
      },
      leavesAt: (handset, at) => this.bound(handset, at.epochMilliseconds),
      disposed: ({ ref, disposition, person }) => {
        if (disposition !== 'do-not-call' && disposition !== 'refused') return;
        const number = this.numberOf(`contact:${ref}`);
        const order = { numberTokens: [parts.numberToken(number)], why: disposition, by: person };
        parts.telling(number);
        const isKept = disposition === 'refused' ? parts.ownList.refusedAll(order) : parts.ownList.addAll(order);
        if (isKept && !parts.life.isDead) parts.kept(number, disposition === 'refused' ? 'refused' : 'never');
      },
      alarm: () => undefined,
    };
  }

  private say(call: CallId, pieces: readonly string[]): void {
    if (this.parts.life.isDead) throw new Dead();
    const handset = this.parts.handsets.find((one) => this.places.deskOf(one) === call);
    if (handset !== undefined) this.parts.heard(handset, pieces);
  }

  private dial({ handset, person, ref, token, campaign, calleeZone, isAgreed }: ContactCall): void {
    const { signalling, clock, store, newCallId, calls, requested, life } = this.parts;
    if (life.isDead) throw new Dead();
    const desk = this.places.freeDesk(handset);
    const call = newCallId();
    const back = (isBack: boolean): void => life.run(() => this.places.back(handset, call, isBack));
    const offer = desk === undefined ? undefined : signalling.join(call, desk, handset, back);
    if (offer === undefined) {
      this.desk.ended(handset, token, 'not-called');
      return;
    }
    const dialled = `contact:${ref}`;
    const contact = { attempts: Math.max(0, (store.sealed(ref)?.attempts ?? 1) - 1), isAgreed };
    const facts = { campaign, contact, person: store.person(person) };
    this.live.add(dialled, call, { ...facts, ...(calleeZone !== undefined && { calleeZone }) });
    this.places.joined(handset, call, token);
    const request: CallRequest = {
      ...{ call, handset, dialled, offer, person: personId(person), campaign: campaign.id, contact: token },
      ...{ at: clock.wall(), source: 'desk', supervised: false },
    };
    requested(request);
    calls().request(request);
  }

  private bound(handset: HandsetId, atMs: number): void {
    const call = this.places.deskOf(handset);
    if (call === undefined) return;
    const { clock } = this.parts;
    const notAfter = clock.wall().add({ milliseconds: Math.floor(atMs - clock.wall().epochMilliseconds) });
    this.parts.calls().event(call, { type: 'narrowed', notAfter, by: 'window.person' });
  }
}
