/** What a message may at most be. */
export interface MessageLimits {
  /** Start line, headers and body together, bytes. */
  readonly messageBytes: number;
  readonly headers: number;
  /** One header's line, folded lines included, bytes. */
  readonly headerBytes: number;
}

export const DEFAULT_MESSAGE_LIMITS: MessageLimits = { messageBytes: 65_536, headers: 128, headerBytes: 8_192 };
