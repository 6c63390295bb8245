import type { LimitSubject, UseLimit } from '../../config/schema/types.generated.js';
import type { RuleId } from './decision.js';
import type { NumberFault } from './number.js';

export type OwnLevel = 'site' | 'wing' | 'handset' | 'person' | 'campaign';

/** What decided, as a value; times are local and written out ("20:14", or with a date where the day is another). */
export type Fact =
  | { readonly is: 'clock'; readonly why: string }
  | { readonly is: 'policy'; readonly why: 'missing' | 'unsigned' }
  | { readonly is: 'policy-expired'; readonly since: string }
  | { readonly is: 'lockdown'; readonly reason: string; readonly until?: string }
  | { readonly is: 'handset-unknown'; readonly handset: string }
  | { readonly is: 'handset-disabled'; readonly handset: string }
  | { readonly is: 'line-lost' }
  | { readonly is: 'line-missing' }
  | { readonly is: 'hook'; readonly hook: 'on' | 'unknown' }
  | { readonly is: 'not-signed-on' }
  | { readonly is: 'suspended' }
  | { readonly is: 'codes-only' }
  | { readonly is: 'number'; readonly why: NumberFault }
  | { readonly is: 'blocked' }
  | { readonly is: 'not-sanctioned' }
  | { readonly is: 'own-hours'; readonly level: OwnLevel; readonly now: string; readonly opens?: string }
  | { readonly is: 'listed'; readonly list: string }
  | { readonly is: 'asked-not' }
  | { readonly is: 'silence'; readonly days: number; readonly until: string }
  | { readonly is: 'list-missing'; readonly list: string; readonly why: string }
  | { readonly is: 'list-stale'; readonly list: string; readonly made: string; readonly mostAgeH: number }
  | { readonly is: 'callee-unknown' }
  | {
      readonly is: 'callee-hours';
      readonly city: string;
      readonly now: string;
      readonly isHoliday: boolean;
      readonly opens?: string;
    }
  | {
      readonly is: 'used';
      readonly per: LimitSubject;
      readonly in: UseLimit['in'];
      readonly measure: UseLimit['of'];
      /** Counts, or milliseconds of talk. */
      readonly used: number;
      readonly most: number;
    }
  /** Attempts at a contact in its campaign. */
  | { readonly is: 'tried-out'; readonly used: number; readonly most: number }
  | { readonly is: 'gap'; readonly per: LimitSubject; readonly seconds: number }
  | { readonly is: 'busy'; readonly per: LimitSubject; readonly live: number }
  // What a rule notes that has no objection.
  | { readonly is: 'open'; readonly city?: string; readonly now: string; readonly until: string }
  | { readonly is: 'zones'; readonly zones: readonly string[]; readonly now: string; readonly until: string }
  | {
      readonly is: 'left';
      readonly per: LimitSubject;
      readonly in: UseLimit['in'];
      readonly measure: UseLimit['of'];
      readonly used: number;
      readonly most: number;
    };

/** A rule's objection: the fact, the SIP status, and whether time alone can lift it. */
export interface Objection {
  readonly rule?: RuleId;
  readonly fact: Fact;
  readonly status: number;
  /** The first instant, epoch milliseconds, from which this rule has no objection by its own; absent: time does not help. */
  readonly passesFrom?: number;
}
