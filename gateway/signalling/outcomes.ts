import type { EndCause } from '../calls/record.js';

/** A SIP failure of a trunk as the cause that people see. */
export function causeOf(status: number): EndCause {
  if (status === 486 || status === 600) return 'busy';
  if (status === 603 || status === 480 || status === 408 || status === 487) return 'no-answer';
  if (status >= 300 && status < 400) return 'callee.redirected';
  return 'trunk-failed';
}

/**
 * Another trunk may do better, and only before this one rang: it is dead or failing (RFC 3263 §4.3), or takes no credentials
 * of ours.
 */
export function mayFailOver(status: number, rang: boolean): boolean {
  return !rang && (status === 401 || status === 407 || status === 408 || (status >= 500 && status < 600));
}

/** The final status on the handset leg for an end before the answer. */
export function statusFor(cause: EndCause): number {
  switch (cause) {
    case 'busy':
      return 486;
    case 'no-answer':
      return 480;
    case 'handset-cancelled':
      return 487;
    case 'cutoff':
    case 'deadline':
    case 'callee.redirected':
    case 'refused':
    case 'hook.on':
      return 403;
    default:
      return 503;
  }
}
