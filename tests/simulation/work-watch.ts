import type { Limit, WorkActivityData } from '../../config/schema/types.generated.js';
import type { CallRequest, EventDraft } from '../../gateway/calls/ports.js';
import type { CallRecord } from '../../gateway/calls/record.js';
import type { CallId } from '../../gateway/policy/ids.js';
import { PayFold, type WorkEvent } from '../../gateway/work/pay.js';
import { SITE_ZONE } from './sim-site.js';
import { isOpen, localDay, type WindowRule } from './window-oracle.js';
import { type BroughtContact, CAMPAIGN_A_DAY } from './work-site.js';

/** What may be said of a contact by whoever has been told everything. */
export interface KnownContact extends BroughtContact {
  readonly token: string;
  readonly most: number;
  readonly zones: readonly string[];
  attempts: number;
  /** Nobody calls it for this campaign any more. */
  isOver: boolean;
  /** When it asked to be called again, epoch milliseconds, if that was the last thing that became of it. */
  callBackMs?: number | undefined;
}

/** The work of a site as the rest of its world sees it. */
export interface WorkOfSite {
  readonly watch: WorkWatch;
  /** The hours of a request's person and campaign as they are now. */
  rulesOf(request: CallRequest): readonly WindowRule[];
  /** The hours by which a person or a campaign may still be judged, those of before a change included; none of nobody. */
  rulesOfLate(id: string | undefined): readonly (readonly WindowRule[])[];
  mostTalkMs(request: CallRequest): number;
  /** What a person's or a campaign's calls are limited to; of nobody nothing. */
  limitsOf(id: string | undefined): readonly Limit[];
  /** Somebody changes this person or campaign, or any, while calls run; which one it was. */
  change(rather: string | undefined): string;
}

interface Sitting {
  readonly person: string;
  readonly fromUs: number;
  readonly events: WorkEvent[];
  talkMs: number;
  talks: number;
  /** Something hung or was lost meanwhile: what is talk is not told to the second. */
  isBlurred: boolean;
}

/** What became of a contact, as it is reported. */
interface Disposed {
  readonly contact: string;
  readonly campaign: string;
  readonly disposition: string;
  readonly callBackAt?: string;
}

/** Outcomes after which a contact is not called again for its campaign. */
const OVER = /^(completed|refused|do-not-call|wrong-number|wrong-language|distress|undisposed)$/;
/** A clock may be off by two seconds and be believed. */
const DOUBT_MS = 3_000;
/** The session hears of an answer and of an end a little later than the relay, milliseconds a talk. */
const LATE_MS = 6_000;
const EVERY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Whom the work may call, and what it is paid: by what was seen, and not by what the gateway counts. */
export class WorkWatch {
  readonly contacts = new Map<number, KnownContact>();
  private readonly live = new Map<CallId, KnownContact>();
  private readonly tried = new Map<string, number>();
  private readonly sittings = new Map<string, Sitting>();
  private sequence = 0;
  paidMs = 0;
  sat = 0;

  constructor(private readonly nowUs: () => number) {}

  contactOf(dialled: string): KnownContact | undefined {
    return dialled.startsWith('contact:') ? this.contacts.get(Number(dialled.slice(8))) : undefined;
  }

  /** Why a contact may not be called now; undefined: it may. */
  twice({ call, dialled }: CallRequest): string | undefined {
    const contact = this.contactOf(dialled);
    if (contact === undefined) return `${dialled} is nobody`;
    if (contact.isOver) return `${contact.token} is over`;
    if (contact.attempts > contact.most) return `${contact.token} is tried ${contact.attempts} times`;
    for (const [other, { number }] of this.live)
      if (other !== call && number === contact.number) return `${contact.number} is in ${other} already`;
    this.live.set(call, contact);
    return undefined;
  }

  /** How often the campaign of a contact has tried today, where that is as often as it may. */
  usedUp(dialled: string, nowMs: number): string | undefined {
    const campaign = this.contactOf(dialled)?.campaign;
    const tried = this.tried.get(`${campaign} ${localDay(SITE_ZONE, nowMs)}`) ?? 0;
    return tried < CAMPAIGN_A_DAY ? undefined : `${campaign} has tried ${tried} times today`;
  }

  /** Why a contact's own times forbid it; undefined: they do not. */
  untimely(dialled: string, nowMs: number): string | undefined {
    const { earliest, latest, zones = [] } = this.contactOf(dialled) ?? {};
    if (earliest === undefined || latest === undefined) return undefined;
    const windows = [{ days: EVERY, from: earliest, to: latest }];
    const isClosed = (zone: string): boolean =>
      [-DOUBT_MS, 0, DOUBT_MS].every((ms) => !isOpen({ zone, windows } satisfies WindowRule, nowMs + ms));
    const closed = zones.find(isClosed);
    return closed === undefined ? undefined : `it may be called from ${earliest} to ${latest} in ${closed}`;
  }

  recorded({ call, campaign, contact, cause, trunk, answeredAt, requestedAt }: CallRecord): void {
    this.live.delete(call);
    if (cause === 'refused' && contact !== undefined) {
      // Whom policy refused nobody has tried.
      for (const known of this.contacts.values()) if (known.token === contact) known.attempts -= 1;
    }
    if (campaign === undefined || (trunk === undefined && answeredAt === undefined)) return;
    const day = `${campaign} ${localDay(SITE_ZONE, requestedAt.epochMilliseconds)}`;
    this.tried.set(day, (this.tried.get(day) ?? 0) + 1);
  }

  /** The gateway has died: what it had not written down yet never was a call. */
  gatewayDied(isOpen: (call: CallId) => boolean): void {
    for (const call of this.live.keys()) if (!isOpen(call)) this.live.delete(call);
  }

  attempted(ref: number): void {
    const contact = this.contacts.get(ref);
    if (contact !== undefined) contact.attempts += 1;
  }

  /** The relay of a contact's call was open for so long. */
  talked(person: string | undefined, talkMs: number): void {
    const sitting = [...this.sittings.values()].findLast((one) => one.person === person);
    if (sitting === undefined) return;
    sitting.talkMs += talkMs;
    sitting.talks += 1;
  }

  /** Something hangs, or is lost. */
  blurred(): void {
    for (const sitting of this.sittings.values()) sitting.isBlurred = true;
  }

  lost({ data }: EventDraft): void {
    this.sittings.delete(String(data.session));
  }

  /** An event of the work is durable. Tells what of a sitting that is over does not add up. */
  noted({ type, data }: EventDraft): string | undefined {
    if (type === 'balise.work.contact') {
      this.disposed(data as unknown as Disposed);
      return undefined;
    }
    if (type !== 'balise.work.activity') return undefined;
    const event = data as unknown as WorkActivityData;
    this.sequence += 1;
    const kept = { sequence: this.sequence, hash: '', type, data: event } as WorkEvent;
    const { session, person, activity, why } = event;
    if (activity === 'signed-on' && !this.sittings.has(session)) {
      const fresh = { person, fromUs: this.nowUs(), events: [kept], talkMs: 0, talks: 0, isBlurred: false };
      this.sittings.set(session, fresh);
      return undefined;
    }
    const sitting = this.sittings.get(session);
    if (sitting === undefined) return undefined;
    sitting.events.push(kept);
    if (activity !== 'signed-off') return undefined;
    this.sittings.delete(session);
    return why === 'restarted' ? undefined : this.added(sitting);
  }

  private disposed(said: Disposed): void {
    for (const contact of this.contacts.values()) {
      if (contact.token !== said.contact || contact.campaign !== said.campaign) continue;
      if (OVER.test(said.disposition)) contact.isOver = true;
      contact.callBackMs = said.callBackAt === undefined ? undefined : Date.parse(said.callBackAt);
    }
  }

  /** Whether a contact has asked to be called by now, however short ago it was called. */
  isAgreed(dialled: string, nowMs: number): boolean {
    const { callBackMs = Number.POSITIVE_INFINITY } = this.contactOf(dialled) ?? {};
    return nowMs >= callBackMs - DOUBT_MS;
  }

  /** The statement's lines of a sitting come to the time that it lasted, and its talk to what the relay was open for. */
  private added({ person, fromUs, events, talkMs, talks, isBlurred }: Sitting): string | undefined {
    const lastedMs = (this.nowUs() - fromUs) / 1e3;
    const months = new Set(
      events.flatMap(({ data }) => {
        const atMs = Date.parse((data as WorkActivityData).at);
        return [0, -lastedMs].map((ms) => monthOf(atMs + ms));
      }),
    );
    const lines = [...months].flatMap((month) => {
      const fold = new PayFold(person, month, SITE_ZONE);
      for (const event of events) fold.take(event);
      return fold.account().lines;
    });
    const ms = lines.reduce((sum, line) => sum + line.ms, 0);
    this.paidMs += lines.reduce((sum, line) => sum + (line.rate === undefined ? 0 : line.ms), 0);
    this.sat += 1;
    if (Math.abs(ms - lastedMs) > 2) return `${person} sat for ${lastedMs} ms, and ${ms} are accounted for`;
    const talking = lines.filter(({ activity }) => activity === 'talking').reduce((sum, line) => sum + line.ms, 0);
    if (!isBlurred && Math.abs(talking - talkMs) > talks * LATE_MS + 1)
      return `${person} talked for ${talkMs} ms, and ${talking} are accounted for`;
    return undefined;
  }
}

function monthOf(ms: number): string {
  const day = localDay(SITE_ZONE, ms);
  return new Date(day * 86_400_000).toISOString().slice(0, 7);
}
