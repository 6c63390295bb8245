/** Calls of the past as they can be asked for again: what was dialled, by whom, for what, and how the wire stood. */
import type { Campaign } from '../../config/schema/types.generated.js';
import type { Explanation } from '../../gateway/policy/explain.js';
import { handsetId, personId } from '../../gateway/policy/ids.js';
import type { DialRequest, Facts, LineFacts } from '../../gateway/policy/request.js';
import { judgedOf } from '../../gateway/store/whys.js';
import type { LedgerRow, RefusedRow, SiteBooks } from './site-books.js';

const GOOD_LINE: LineFacts = { fitted: true, hook: 'off', supervised: true, relay: 'connected' };
/** The clock and the wire as they should be, and no cutoff. */
export const GOOD: Facts = { clock: { trusted: true }, line: GOOD_LINE, lockdowns: [] };

/** A call of the past, as it can be asked for again. */
export interface PastRequest {
  readonly row: Omit<LedgerRow, 'number'>;
  readonly request: DialRequest;
  /** Its campaign, whole. */
  readonly of?: Campaign;
  readonly facts: Facts;
}

/** What the clock, an order or the lack of a policy decided: no policy would have decided otherwise. */
const HELD = /^(clock|policy|lockdown)\./;

/** A refusal that no policy lifts, or one of which too little is kept. */
export type Unasked = 'held' | 'unopened';

/** Asks again what was asked for in the past. */
export class PastRequests {
  readonly #people: ReadonlyMap<string, SiteBooks['people'][number]>;
  readonly #campaigns: ReadonlyMap<string, Campaign>;

  constructor(private readonly books: SiteBooks) {
    this.#people = new Map(books.people.map((one) => [one.id, one]));
    this.#campaigns = new Map(books.campaigns.map((one) => [one.id, one]));
  }

  /** The calls that were granted, contacts by the numbers behind their tokens. */
  *granted(rows: readonly LedgerRow[]): Iterable<PastRequest | Unasked> {
    const ofContacts = rows.filter(({ campaign }) => campaign !== null);
    const contacts = this.books.contacts(
      new Set(ofContacts.flatMap(({ campaign }) => campaign ?? [])),
      new Set(ofContacts.flatMap(({ number }) => number ?? [])),
    );
    for (const row of rows) {
      const { number, campaign } = row;
      if (campaign === null) {
        yield { row, facts: GOOD, request: { ...this.#by(row), dialled: number ?? '' } };
        continue;
      }
      const [contact, of] = [contacts.get(number ?? ''), this.#campaigns.get(campaign)];
      if (contact === undefined || of === undefined) {
        yield 'unopened';
        continue;
      }
      const { number: dialled, calleeZone } = contact;
      const zone = calleeZone !== undefined && { calleeZone };
      yield { row, of, facts: GOOD, request: { ...this.#by(row), dialled, campaign: of, isContact: true, ...zone } };
    }
  }

  /** A call that was refused, by what was sealed of it; with the wire as it then was. */
  refused(row: RefusedRow): PastRequest | Unasked {
    const judged = row.judged === null ? [] : judgedOf(row.judged);
    if (judged.some(({ rule, verdict }) => verdict === 'refuses' && HELD.test(rule))) return 'held';
    const asked = this.books.openRefused(row);
    if (asked === undefined) return 'unopened';
    const { campaign, ...what } = asked;
    const of = campaign === undefined ? undefined : this.#campaigns.get(campaign);
    if (campaign !== undefined && of === undefined) return 'unopened';
    const facts = { ...GOOD, line: lineOf(judged) };
    const base = { ...this.#by(row), ...what };
    return of === undefined
      ? { row, facts, request: base }
      : { row, of, facts, request: { ...base, campaign: of, isContact: true } };
  }

  #by({ handset, person }: Pick<LedgerRow, 'handset' | 'person'>): Omit<DialRequest, 'dialled'> {
    const facts = this.#people.get(person ?? '');
    return {
      handset: handsetId(handset),
      ...(person !== null && { person: personId(person) }),
      ...(facts !== undefined && { personFacts: facts }),
    };
  }
}

/** What the wire said, by what its rules then said of it; where they said nothing it was as it should be. */
function lineOf(judged: Explanation['judged']): LineFacts {
  let line = GOOD_LINE;
  for (const fact of judged.flatMap(({ facts }) => facts)) {
    if (fact.is === 'line-missing') line = { ...line, fitted: false, supervised: false, relay: 'unknown' };
    if (fact.is === 'line-lost') line = { ...line, supervised: false };
    if (fact.is === 'hook') line = { ...line, hook: fact.hook };
  }
  return line;
}
