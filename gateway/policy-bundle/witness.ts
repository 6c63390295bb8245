import type { Campaign } from '../../config/schema/types.generated.js';
import type { EventDraft } from '../calls/ports.js';

/** Which bundle a gateway took last. */
export interface PolicyMark {
  readonly version: number;
  /** SHA-256 of the bundle's text, in hex. */
  readonly digest: string;
}

/**
 * What remembers, apart from the bundle's own folder, which bundle was taken: an older folder that is put back, or a bundle
 * that was slipped into it, shows by it. `Store` is one.
 */
export interface PolicyWitness {
  /** Undefined when none was ever taken. */
  policyTaken(): PolicyMark | undefined;
  /** Notes it, puts its campaigns in force and appends the event, as one transaction. Throws when the disk cannot take it. */
  takePolicy(mark: PolicyMark, event: EventDraft, campaigns: readonly Campaign[]): void;
}
