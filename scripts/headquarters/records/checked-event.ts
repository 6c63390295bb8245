import type { EventEnvelope } from '../../../config/schema/types.generated.js';

/** An event that was checked: by its schema, its hash and its topic. */
export interface CheckedEvent {
  readonly gateway: string;
  readonly event: EventEnvelope;
  /** The text as it came. */
  readonly body: string;
}
