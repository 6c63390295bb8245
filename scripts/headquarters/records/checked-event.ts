import type { EventEnvelope } from '../../../config/schema/types.generated.js';

/** An event that was checked: by its schema, its hash and its topic. */
export interface CheckedEvent {
  readonly gateway: string;
  readonly event: EventEnvelope;
  /** The text as it came. */
  readonly body: string;
  /** What its `data` is not that its type promises: the event is kept as the link of the chain that it is, and read no further. */
  readonly dataFault?: string;
}
