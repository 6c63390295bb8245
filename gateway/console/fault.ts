import type { ErrorCode, ErrorView } from './api/faults.js';

/** A request that is not done, with the answer that says why. */
export class ConsoleFault extends Error {
  override readonly name = 'ConsoleFault';
  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    message: string,
    readonly more: Omit<ErrorView, 'error' | 'code'> = {},
  ) {
    super(message);
  }

  get view(): ErrorView {
    return { error: this.message, code: this.code, ...this.more };
  }
}
