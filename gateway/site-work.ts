/**
 * Joins the work desk to calls and media. A handset that dials its profile's sign-on code gets a call to the gateway itself: judged,
 * journalled and armed like any other, without a trunk. A contact's call is a second call of the same machine whose handset side is
 * that leg: each has its own lease on every plane, its own record and its own end, so no promise of the machine is bent; the sound
 * goes from one to the other and back by a re-INVITE.
 */
import type { Logger } from 'pino';
import type { Temporal } from 'temporal-polyfill';
import type { Person } from '../config/schema/types.generated.js';
import type { Calls } from './calls/calls.js';
import type { ContactNumbers } from './calls/contact-numbers.js';
import type { Judge } from './calls/judge.js';
import type { CallObserver, CallRequest } from './calls/ports.js';
import type { Clock } from './clock/clock.js';
import type { SiteFiles } from './config/site.js';
import type { OwnList } from './do-not-call/own-list.js';
import { whenPieces } from './media/prompts.js';
import { RelayPlane } from './media/relay-plane.js';
import { keyed } from './policy/case.js';
import { type Hours, NEVER, together } from './policy/hours.js';
import { HoursBook } from './policy/hours-book.js';
import { type CallId, type E164, type HandsetId, personId } from './policy/ids.js';
import { PublicHolidays } from './policy/public-holidays.js';
import type { Lockdown } from './policy/request.js';
import type { Signalling } from './signalling/signalling.js';
import { siteBatches } from './site-batches.js';
import { LiveWork } from './site-live-work.js';
import type { SitePlane } from './site-media.js';
import type { SitePolicy } from './site-policy.js';
import { worksAt } from './site-token-key.js';
import type { WorkTold } from './site-work-told.js';
import { contactKey } from './store/contact-key.js';
import type { Store } from './store/store.js';
import type { BatchKeeper } from './work/batch-keeper.js';
import { announcementOf, campaignPiece } from './work/campaign-announcement.js';
import { ContactHours } from './work/contact-hours.js';
import { ContactJudge } from './work/contact-judge.js';
import { DeskPlaces } from './work/desk-places.js';
import { DialogSeal } from './work/dialog-seal.js';
import { NumberSeal } from './work/number-seal.js';
import { aboutContact } from './work/quality.js';
import { WorkDesk } from './work/work-desk.js';
import type { ContactCall, WorkSeam } from './work/work-seam.js';

export { workTold } from './site-work-told.js';

export interface SiteWorkParts {
  readonly files: SiteFiles;
  readonly clock: Clock;
  readonly bootId: string;
  readonly store: Store;
  readonly policy: SitePolicy;
  readonly media: SitePlane;
  readonly signalling: Signalling;
  readonly calls: () => Calls | undefined;
  readonly doNotCall: Pick<OwnList, 'addAll' | 'refusedAll'>;
  readonly numberToken: (number: E164) => string;
  readonly newCallId: () => CallId;
  readonly alarm: (code: string, message: string, handset?: string) => void;
  /** Those who show what people do at the desk, and count what was refused there. */
  readonly told: WorkTold;
  readonly log: Logger;
}

const CONTACT = /^contact:([1-9][0-9]{0,14})$/;

/** The work of one site, joined to its calls. */
export class SiteWork {
  readonly #parts: SiteWorkParts;
  readonly #media: RelayPlane;
  readonly #seal: NumberSeal;
  readonly #dialogs: DialogSeal;
  readonly #hours: HoursBook;
  readonly #desk: WorkDesk;
  readonly #places: DeskPlaces;
  /** Contacts on loan from headquarters, where the site has an uplink. */
  readonly batches: BatchKeeper | undefined;
  readonly #live: LiveWork;

  /**
   * Undefined where no profile has a sign-on code. Where one has, and work is not possible, an alarm says why and the code is a
   * number like any other: nobody signs on.
   */
  static of(parts: SiteWorkParts): SiteWork | undefined {
    const { files, media, store, alarm } = parts;
    if (!worksAt(files)) return undefined;
    if (!(media instanceof RelayPlane)) {
      alarm('work.no-desk', 'a profile has a signOnCode, and work needs media.driver "relay": nobody can sign on');
      return undefined;
    }
    try {
      const key = contactKey(files.dataFolder);
      const seal = new NumberSeal(key);
      if (store.work.isKey(seal.fingerprint())) return new SiteWork(parts, media, seal, new DialogSeal(key));
      alarm(
        'work.no-key',
        'contacts.key is not the key of the contacts here: put the right one back; nobody can sign on',
      );
    } catch (fault) {
      alarm('work.no-key', `contacts.key cannot be used, nobody can sign on: ${(fault as Error).message}`);
    }
    return undefined;
  }

  private constructor(parts: SiteWorkParts, media: RelayPlane, seal: NumberSeal, dialogs: DialogSeal) {
    this.#parts = parts;
    this.#media = media;
    this.#seal = seal;
    this.#dialogs = dialogs;
    const { files, clock, bootId, store, policy, newCallId, log } = parts;
    const { zone, language, country, holidayRegion } = files.site;
    const holidays = new PublicHolidays(country, holidayRegion === undefined ? [] : [holidayRegion]);
    const isHoliday = (day: number): boolean => holidays.has(day);
    this.#hours = new HoursBook(zone, isHoliday);
    this.#desk = new WorkDesk({
      ...{ clock, bootId, log, store: store.work, seam: this.#seam, siteLanguage: language, newId: newCallId },
      hours: new ContactHours(() => policy.compiled.callee, zone, isHoliday),
      hoursOf: this.#hoursOf,
      hoursOfHandset: this.#hoursOfHandset,
      isLockedOut: (person) => this.#isLockedOut(person),
      about: (contact) => aboutContact(seal, contact),
      zonesOfCountry: (country) => policy.compiled.callee.placeIn(country)?.zones ?? [],
    });
    this.batches = siteBatches(parts, seal, this.#desk);
    this.#live = new LiveWork({
      ...{ clock, store: store.work },
      judgeAgain: () => this.#calls?.policyChanged(),
      onFault: (fault) => log.error({ event: 'work.look-failed', err: fault }),
    });
    this.#places = new DeskPlaces(
      {
        say: (desk, said, ring) => this.#media.say(desk, said, ring),
        hush: (desk) => this.#media.hush(desk),
        backAtDesk: (desk) => this.#media.backAtDesk(desk),
        replaced: (desk) => this.#calls?.event(desk, { type: 'handset-hung-up' }),
        lostHandset: (desk) =>
          this.#calls?.event(desk, {
            type: 'handset-failed',
            status: 488,
            why: 'the handset would not be joined to the desk again',
          }),
      },
      () => this.#desk,
    );
  }

  get #calls(): Calls | undefined {
    return this.#parts.calls();
  }

  /** Takes in campaigns and contacts; a disk that cannot be read is an alarm, and nobody is given work. */
  start(): void {
    try {
      this.#desk.start();
      this.batches?.start();
      this.#live.start();
    } catch (fault) {
      this.#parts.alarm('work.fault', `campaigns and contacts cannot be read: ${(fault as Error).message}`);
    }
  }

  stop(): void {
    this.batches?.stop();
    this.#live.stop();
    this.#desk.stop();
  }

  /** Policy or its campaigns have changed: contacts and live calls go by the new ones at once. Never throws: both look again. */
  policyChanged(): void {
    this.#lookAtCalls();
    this.#desk.look();
  }

  #lookAtCalls(): void {
    try {
      this.#live.look();
    } catch (fault) {
      this.#parts.log.error({ event: 'work.look-failed', err: fault });
    }
  }

  /** A request as `calls` is to take it: the sign-on code of a handset's profile asks for the desk. */
  marked(request: CallRequest): CallRequest {
    if (!this.isSignOn(request.handset, request.dialled)) return request;
    this.#places.asked(request.call, request.handset);
    return { ...request, desk: true };
  }

  /** A key that a handset sent; false when its call is none of the desk's. */
  key(call: CallId, key: string): boolean {
    return this.#places.key(call, key);
  }

  /** A key of a line card; false when its handset is not at the desk. */
  keyAt(handset: HandsetId, key: string): boolean {
    return this.#places.keyAt(handset, key);
  }

  /** Whether a handset is at the desk. */
  has(handset: HandsetId): boolean {
    return this.#places.deskOf(handset) !== undefined;
  }

  /** Whether somebody whose hours are over has still to say at a handset how a call went: its line stays connected for that. */
  isOwed(handset: HandsetId): boolean {
    const { policy, clock } = this.#parts;
    const now = clock.wall();
    const { untilMs = 0 } = this.#desk.wrapUpAt(handset);
    return (
      now.epochMilliseconds < untilMs &&
      policy.isInForce(now) &&
      policy.compiled.handsets.get(handset)?.enabled === true
    );
  }

  /** Whether this is what a handset dials to get to the desk. */
  isSignOn(handset: HandsetId, dialled: string): boolean {
    const { profile } = this.#parts.policy.compiled.handsets.get(handset) ?? {};
    return profile?.signOnCode !== undefined && keyed(dialled) === profile.signOnCode;
  }

  /** Judges contacts' calls by their numbers, and lets no number out. */
  judge(judge: Judge): Judge {
    return new ContactJudge({
      judge,
      numberOf: this.#numberOf,
      asked: (dialled) => this.#live.asked(dialled),
      numberToken: this.#parts.numberToken,
      wrapUpAt: (handset) => this.#desk.wrapUpAt(handset),
    });
  }

  /** What opens contacts where planes need it. */
  get numbers(): ContactNumbers {
    return {
      numberOf: this.#numberOf,
      sealDialog: (dialog) => this.#dialogs.seal(dialog),
      openDialog: (dialog) => this.#dialogs.open(dialog),
    };
  }

  readonly observer: CallObserver = {
    handset: (...told) => this.#places.phase(...told),
    ended: (record) => {
      this.#live.ended(record.call);
      this.#places.ended(record);
    },
    // Whoever may not call any more is not to wait at the desk for it either.
    cutoff: () => this.#desk.look(),
  };

  readonly #hoursOfHandset = (handset: HandsetId): Hours =>
    this.#parts.policy.compiled.handsets.get(handset)?.own.hours ?? NEVER;

  readonly #hoursOf = (person: Person, handset: HandsetId): Hours =>
    together([this.#hours.of(person), this.#hoursOfHandset(handset)]);

  #isLockedOut(person: string): boolean {
    const isTheirs = ({ target }: Lockdown): boolean => target.kind === 'person' && target.person === person;
    return this.#calls?.lockdownsInForce().some(isTheirs) ?? false;
  }

  readonly #numberOf = (dialled: string): E164 => {
    const ref = Number(CONTACT.exec(dialled)?.[1] ?? 0);
    const contact = ref === 0 ? undefined : this.#parts.store.work.sealed(ref);
    if (contact === undefined) throw new Error(`${dialled} is no contact of this site`);
    return this.#seal.unseal(contact.sealed, contact.token);
  };

  readonly #seam: WorkSeam = {
    play: (handset, prompts, language, until) =>
      this.#places.say(handset, { language, pieces: [...prompts, ...this.#untilPieces(until)] }),
    hush: (handset) => this.#places.hush(handset),
    dial: (call) => this.#places.whenOver(call.handset, call.token, () => this.#dialSafely(call)),
    endCall: (handset) => {
      if (this.#places.forget(handset)) return;
      const call = this.#places.contactCallOf(handset);
      if (call !== undefined) this.#calls?.event(call, { type: 'handset-hung-up' });
    },
    close: (handset) => {
      const desk = this.#places.deskOf(handset);
      // The far end of a call to the desk is the desk, and it hangs up.
      if (desk !== undefined) this.#calls?.event(desk, { type: 'trunk-hung-up' });
    },
    leavesAt: (handset, at) => this.#bound(handset, at),
    disposed: (said) => this.#silence(said),
    doing: (handset, doing) => this.#parts.told.doing(handset, doing),
    changed: () => this.#lookAtCalls(),
    refused: (why) => this.#parts.told.refused(why),
    alarm: (code, message, handset) => this.#parts.alarm(code, message, handset),
  };

  #untilPieces(until: Temporal.Instant | undefined): readonly string[] {
    if (until === undefined) return [];
    return whenPieces(until, this.#parts.clock.wall(), this.#parts.files.site.zone);
  }

  /** It may come when another call has its record, which a contact that cannot be read must not spoil. */
  #dialSafely(call: ContactCall): void {
    try {
      this.#dial(call);
    } catch (fault) {
      const { handset, token } = call;
      this.#parts.log.error({ event: 'work.dial-failed', handset, err: fault });
      this.#parts.alarm('work.fault', `a contact could not be called at ${handset}`, handset);
      this.#desk.ended(handset, token, 'not-called');
    }
  }

  #dial({ handset, person, ref, token, campaign, language, calleeZone, isAgreed }: ContactCall): void {
    const { signalling, clock, newCallId } = this.#parts;
    const announced = announcementOf(campaign, language);
    if (!this.#media.hasSound(language, campaignPiece(campaign.id))) {
      // What the callee must hear is not left out.
      const message = `what callees of ${campaign.id} are told in ${language} is not there: balise campaign speak ${campaign.id}`;
      this.#parts.alarm('work.no-announcement', message, handset);
      this.#desk.ended(handset, token, 'not-called');
      return;
    }
    const desk = this.#places.freeDesk(handset);
    const call = newCallId();
    const back = (isBack: boolean): void => this.#places.back(handset, call, isBack);
    const offer = desk === undefined ? undefined : signalling.join(call, desk, handset, back);
    if (offer === undefined) {
      this.#desk.ended(handset, token, 'not-called');
      return;
    }
    const dialled = `contact:${ref}`;
    const { work } = this.#parts.store;
    // The attempt that this is has been counted already.
    const contact = { attempts: Math.max(0, (work.sealed(ref)?.attempts ?? 1) - 1), isAgreed };
    const facts = { campaign, contact, person: work.person(person) };
    this.#live.add(dialled, call, { ...facts, ...(calleeZone !== undefined && { calleeZone }) });
    this.#places.joined(handset, call, token);
    this.#calls?.request({
      ...{ call, handset, dialled, offer, person: personId(person), campaign: campaign.id, contact: token },
      ...{ at: clock.wall(), source: 'desk', supervised: campaign.supervised },
      announced,
    });
  }

  /** The lease of the desk's call ends with the person's hours. */
  #bound(handset: HandsetId, notAfter: Temporal.Instant): void {
    const desk = this.#places.deskOf(handset);
    if (desk !== undefined) this.#calls?.event(desk, { type: 'narrowed', notAfter, by: 'window.person' });
  }

  /** What a callee said of being called is policy's to keep, in force at once for every campaign; by token, so that no number is on disk. */
  #silence({ ref, disposition, person }: Parameters<NonNullable<WorkSeam['disposed']>>[0]): void {
    if (disposition !== 'do-not-call' && disposition !== 'refused') return;
    const { doNotCall, numberToken } = this.#parts;
    const numberTokens = [numberToken(this.#numberOf(`contact:${ref}`))];
    const order = { numberTokens, why: `keyed after a call: ${disposition}`, by: person };
    if (disposition === 'do-not-call') doNotCall.addAll(order);
    else doNotCall.refusedAll(order);
  }
}
