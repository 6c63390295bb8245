/**
 * The chooser: which contact a person calls next. It reads no clock and no disk: what it knows it was told, and the same calls
 * in the same order give the same answers. It promises that no contact is given out outside its hours or with too little time
 * left, over its attempts, twice at once, or while its callee is silenced; and that whatever can be called is called in the end.
 * Contacts that share their hours are one group, so that a choice costs a look at each group and O(log n).
 */
import type { Campaign, Language } from '../../config/schema/types.generated.js';
import type { CalleeHours } from '../policy/callee-hours.js';
import { periodAt } from '../policy/periods.js';
import { longestMs } from './campaign.js';
import { ContactGroup } from './contact-group.js';
import type { ContactHours, OwnTimes, Place } from './contact-hours.js';
import { ContactRows, type RowValues } from './contact-rows.js';
import type { Fate } from './dispositions.js';

/** A contact as the book is told of it. */
export interface BookContact extends Omit<RowValues, 'group'> {
  readonly campaign: string;
  readonly language: Language;
  readonly place: Place;
  readonly times: OwnTimes;
}

/** Whoever asks. */
export interface Chooser {
  readonly languages: readonly Language[];
  readonly campaigns: readonly string[];
}

export type Choice =
  | {
      readonly is: 'contact';
      readonly ref: number;
      readonly campaign: Campaign;
      readonly place: Place;
      readonly language: Language;
      readonly attempts: number;
      readonly isCallBack: boolean;
    }
  /** `opensMs`: the first instant at which there will be something, as far as is known; absent: none in sight. */
  | { readonly is: 'nothing'; readonly opensMs?: number };

export class ContactBook {
  readonly #rows = new ContactRows();
  readonly #groups: ContactGroup[] = [];
  readonly #byKey = new Map<string, ContactGroup>();
  /** By campaign, then language. */
  readonly #byCampaign = new Map<string, Map<Language, ContactGroup[]>>();
  readonly #campaigns = new Map<string, Campaign>();
  /** The groups of whoever asks, by what they speak and work for; forgotten when there is a new group. */
  readonly #ofChooser = new Map<string, readonly ContactGroup[]>();
  /** Rows that are given out, by ref, and the callees who are being called. */
  readonly #held = new Map<number, number>();
  readonly #busy = new Set<number>();
  /** Rows whose callee was busy when they came up, by callee. */
  readonly #aside = new Map<number, number[]>();
  /** Until when nobody calls a callee; infinite: never again. */
  readonly #silent = new Map<number, number>();
  /** Start-time fair queueing over campaigns: how far each has been served, and how far the service is. */
  readonly #served = new Map<string, number>();
  #service = 0;
  /** The calling hours that the groups' hours were made of. */
  #callee: CalleeHours;

  constructor(private readonly hours: ContactHours) {
    this.#callee = hours.callee;
  }

  /** Contacts that may still be called, those given out included. */
  get size(): number {
    return this.#rows.size;
  }

  /** A campaign that is new, or that has changed: its contacts then go by its new hours at once. */
  putCampaign(campaign: Campaign): void {
    this.hours.forget(campaign.id);
    this.#campaigns.set(campaign.id, campaign);
    for (const groups of this.#byCampaign.get(campaign.id)?.values() ?? []) {
      for (const group of groups) group.change(campaign, this.hours.hoursOf(campaign, group.place, group.times));
    }
  }

  campaign(id: string): Campaign | undefined {
    return this.#campaigns.get(id);
  }

  /** Takes a contact in. Throws when its campaign is not known. */
  add(contact: BookContact, nowMs: number): void {
    const group = this.#groupOf(contact.campaign, contact.language, contact.place, contact.times);
    group.put(this.#rows.add({ ...contact, group: group.index }), nowMs);
  }

  /** Nobody calls a callee before `untilMs`; infinite: never again. The later of two counts. */
  silence(callee: number, untilMs: number): void {
    this.#silent.set(callee, Math.max(untilMs, this.#silent.get(callee) ?? untilMs));
  }

  /** The next contact for somebody. It is held until `settle` says what became of it. */
  choose({ languages, campaigns }: Chooser, nowMs: number): Choice {
    this.#followPolicy();
    const open = this.#groupsOf(languages, campaigns).filter((group) => group.isOpen(nowMs));
    for (const group of open) this.#clean(group, nowMs);
    const due = best(open, (group) => group.due.top(), this.#isEarlier);
    if (due !== undefined) return this.#give(due, due.due.pop() as number);
    const withReady = open.filter(({ ready }) => ready.size > 0);
    const start = ({ campaign }: ContactGroup) => Math.max(this.#service, this.#served.get(campaign.id) ?? 0);
    const least = Math.min(...withReady.map(start));
    const inTurn = withReady.find((group) => start(group) === least)?.campaign.id;
    const ready = best(
      withReady.filter(({ campaign }) => campaign.id === inTurn),
      (group) => group.ready.top(),
      this.#goesFirst,
    );
    if (ready === undefined) return this.#nothing(languages, campaigns, nowMs);
    this.#service = least;
    this.#served.set(ready.campaign.id, least + 1);
    return this.#give(ready, ready.ready.pop() as number);
  }

  /** Whether `choose` would give somebody a contact now; it may be somebody else's a moment later. */
  hasWork({ languages, campaigns }: Chooser, nowMs: number): boolean {
    this.#followPolicy();
    return this.#groupsOf(languages, campaigns).some((group) => {
      if (!group.isOpen(nowMs)) return false;
      this.#clean(group, nowMs);
      return group.due.size + group.ready.size > 0;
    });
  }

  /** A contact that is held is being called: it counts as an attempt. Returns its attempts so far, and those of its day. */
  attempt(ref: number, nowMs: number): { attempts: number; dayAttempts: number; dayEndsMs: number } {
    const row = this.#heldRow(ref);
    const rows = this.#rows;
    const { zones } = this.#group(row).place;
    if (nowMs >= (rows.dayEndsMs[row] as number)) {
      rows.dayAttempts[row] = 0;
      rows.dayEndsMs[row] = periodAt('day', zones, nowMs).endsMs ?? nowMs;
    }
    const attempts = (rows.attempts[row] as number) + 1;
    const dayAttempts = (rows.dayAttempts[row] as number) + 1;
    rows.attempts[row] = attempts;
    rows.dayAttempts[row] = dayAttempts;
    return { attempts, dayAttempts, dayEndsMs: rows.dayEndsMs[row] as number };
  }

  /** Nobody was called after all: the attempt at a contact that is held was none. Returns its attempts, and those of its day. */
  uncount(ref: number): { attempts: number; dayAttempts: number } {
    const row = this.#heldRow(ref);
    const { attempts, dayAttempts } = this.#rows;
    attempts[row] = Math.max(0, (attempts[row] as number) - 1);
    dayAttempts[row] = Math.max(0, (dayAttempts[row] as number) - 1);
    return { attempts: attempts[row] as number, dayAttempts: dayAttempts[row] as number };
  }

  /** What became of a contact that was held. Gives when it may be called again; undefined: never. */
  settle(ref: number, fate: Fate, nowMs: number): number | undefined {
    const row = this.#heldRow(ref);
    const rows = this.#rows;
    const before = this.#group(row);
    this.#held.delete(ref);
    this.#release(rows.callee[row] as number, nowMs);
    if (fate.is === 'over') {
      rows.remove(row);
      return undefined;
    }
    const place =
      fate.is === 'again' && fate.zones !== undefined ? { ...before.place, zones: fate.zones } : before.place;
    const group =
      place === before.place ? before : this.#groupOf(before.campaign.id, before.language, place, before.times);
    rows.group[row] = group.index;
    rows.isCallBack[row] = fate.is === 'call-back' ? 1 : 0;
    const from = fate.is === 'call-back' ? fate.dueMs : fate.notBeforeMs;
    const isDayFull = (rows.dayAttempts[row] as number) >= group.campaign.attempts.perDay;
    rows.readyMs[row] = isDayFull ? Math.max(from, rows.dayEndsMs[row] as number) : from;
    group.put(row, nowMs);
    return rows.readyMs[row];
  }

  /** A policy with other calling hours is in force at once: what it would refuse is not offered, and what it now lets pass is. */
  #followPolicy(): void {
    if (this.hours.callee === this.#callee) return;
    this.#callee = this.hours.callee;
    for (const group of this.#groups) {
      group.change(group.campaign, this.hours.hoursOf(group.campaign, group.place, group.times));
    }
  }

  #give(group: ContactGroup, row: number): Choice {
    const ref = this.#rows.ref[row] as number;
    this.#held.set(ref, row);
    this.#busy.add(this.#rows.callee[row] as number);
    const { campaign, place, language } = group;
    const attempts = this.#rows.attempts[row] as number;
    return { is: 'contact', ref, campaign, place, language, attempts, isCallBack: this.#rows.isCallBack[row] === 1 };
  }

  #nothing(languages: readonly Language[], campaigns: readonly string[], nowMs: number): Choice {
    let opensMs = Number.POSITIVE_INFINITY;
    for (const group of this.#groupsOf(languages, campaigns)) {
      this.#clean(group, nowMs);
      opensMs = Math.min(opensMs, group.opensAt(nowMs) ?? opensMs);
    }
    return Number.isFinite(opensMs) ? { is: 'nothing', opensMs } : { is: 'nothing' };
  }

  /** Sees to it that what stands first in a group may really be called. */
  #clean(group: ContactGroup, nowMs: number): void {
    group.advance(nowMs);
    for (const heap of [group.due, group.ready]) {
      for (let row = heap.top(); row !== undefined && !this.#mayStand(row, group, nowMs); row = heap.top()) heap.pop();
    }
  }

  /** False: the row has gone elsewhere, or is over. */
  #mayStand(row: number, group: ContactGroup, nowMs: number): boolean {
    const rows = this.#rows;
    const callee = rows.callee[row] as number;
    const silentMs = this.#silent.get(callee);
    const { campaign } = group;
    const isOver =
      silentMs === Number.POSITIVE_INFINITY ||
      (rows.attempts[row] as number) >= campaign.attempts.most ||
      nowMs + longestMs(campaign) > (rows.lentUntilMs[row] as number);
    if (isOver) {
      rows.remove(row);
      return false;
    }
    if (silentMs !== undefined && silentMs > nowMs) {
      rows.readyMs[row] = silentMs;
      group.waiting.push(row);
      return false;
    }
    if (!this.#busy.has(callee)) return true;
    this.#aside.set(callee, [...(this.#aside.get(callee) ?? []), row]);
    return false;
  }

  #release(callee: number, nowMs: number): void {
    this.#busy.delete(callee);
    const rows = this.#aside.get(callee) ?? [];
    this.#aside.delete(callee);
    for (const row of rows) this.#group(row).put(row, nowMs);
  }

  #groupsOf(languages: readonly Language[], campaigns: readonly string[]): readonly ContactGroup[] {
    const key = `${languages.join(' ')}|${campaigns.join(' ')}`;
    const known = this.#ofChooser.get(key);
    if (known !== undefined) return known;
    const groups = campaigns.flatMap((campaign) =>
      languages.flatMap((language) => this.#byCampaign.get(campaign)?.get(language) ?? []),
    );
    this.#ofChooser.set(key, groups);
    return groups;
  }

  #groupOf(id: string, language: Language, place: Place, times: OwnTimes): ContactGroup {
    const key = `${id} ${language} ${place.country} ${place.zones.join(',')} ${times.earliest} ${times.latest}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const campaign = this.#campaigns.get(id);
    if (campaign === undefined) throw new Error(`there is no campaign ${id}`);
    const hours = this.hours.hoursOf(campaign, place, times);
    const made = new ContactGroup(this.#groups.length, campaign, language, place, times, hours, this.#rows);
    this.#groups.push(made);
    this.#ofChooser.clear();
    this.#byKey.set(key, made);
    const byLanguage = this.#byCampaign.get(id) ?? new Map<Language, ContactGroup[]>();
    this.#byCampaign.set(id, byLanguage.set(language, [...(byLanguage.get(language) ?? []), made]));
    return made;
  }

  #group(row: number): ContactGroup {
    return this.#groups[this.#rows.group[row] as number] as ContactGroup;
  }

  #heldRow(ref: number): number {
    const row = this.#held.get(ref);
    if (row === undefined) throw new Error(`contact ${ref} is not held`);
    return row;
  }

  readonly #isEarlier = (a: number, b: number): boolean =>
    (this.#rows.readyMs[a] as number) < (this.#rows.readyMs[b] as number);

  readonly #goesFirst = (a: number, b: number): boolean => {
    const difference = (this.#rows.priority[a] as number) - (this.#rows.priority[b] as number);
    return difference < 0 || (difference === 0 && this.#isEarlier(a, b));
  };
}

/** The group whose first row goes before all others'. */
function best(
  groups: readonly ContactGroup[],
  top: (group: ContactGroup) => number | undefined,
  before: (a: number, b: number) => boolean,
): ContactGroup | undefined {
  let first: ContactGroup | undefined;
  let firstRow: number | undefined;
  for (const group of groups) {
    const row = top(group);
    if (row === undefined || (firstRow !== undefined && !before(row, firstRow))) continue;
    first = group;
    firstRow = row;
  }
  return first;
}
