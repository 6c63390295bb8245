import type Srf from 'drachtio-srf';
import type { DialOrder } from '../calls/ports.js';
import type { EndCause, LegDialog, LegName } from '../calls/record.js';
import type { CallId, HandsetId, TrunkId } from '../policy/ids.js';

/** One trunk, as signalling uses it. */
export interface TrunkAccount {
  readonly id: TrunkId;
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  readonly auth?: { readonly username: string; readonly password: string };
}

/** What is held of one call: its two legs, each ended by itself. */
export interface TwoLegs {
  readonly call: CallId;
  readonly handset: HandsetId;
  readonly request: Srf.SrfRequest;
  readonly response: Srf.SrfResponse;
  /** A message of ours on the handset leg that carries our To tag. */
  sent?: Srf.SipMessage;
  handsetDialog?: Srf.Dialog;
  /** The handset's INVITE has its final answer. */
  handsetAnswered: boolean;
  handsetOver: boolean;
  order?: DialOrder;
  /** Trunks not tried yet. */
  trunksLeft: TrunkAccount[];
  trunkRequest?: Srf.SrfRequest;
  trunkDialog?: Srf.Dialog;
  trunkLeg?: LegDialog;
  trunkRang: boolean;
  trunkOver: boolean;
  /** An INVITE to a trunk is out and has no final answer. */
  trunkPending: boolean;
  releasing?: EndCause;
  legsToReport: LegName[];
  reported: boolean;
}

/** A SIP failure of a trunk as the cause that people see. */
export function causeOf(status: number): EndCause {
  if (status === 486 || status === 600) return 'busy';
  if (status === 603 || status === 480 || status === 408 || status === 487) return 'no-answer';
  if (status >= 300 && status < 400) return 'callee.redirected';
  return 'trunk-failed';
}

/** Another trunk may do better: a dead or failing one, and only before it rang (RFC 3263 §4.3). */
export function mayFailOver(status: number, rang: boolean): boolean {
  return !rang && (status === 408 || (status >= 500 && status < 600));
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
