import type Srf from 'drachtio-srf';
import type { TrunkAccount, TrunkCredentials } from './account.js';
import { credentialsFor } from './trunk-digest.js';

/** A request of ours, as drachtio-srf takes it. */
export interface RequestOrder {
  readonly method: string;
  /** In a dialog the engine puts the remote target in its place. */
  readonly uri: string;
  readonly stackDialogId?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface FinalAnswer {
  readonly response: Srf.SrfResponse;
  /** The request that it answers, as it went out. */
  readonly request: Srf.SrfRequest;
  /** Acknowledges a 2xx to an INVITE. */
  readonly acknowledge: () => void;
}

/** The listener that requests to a trunk leave by: TLS has one to itself. */
export const listenerOf = ({ transport }: Pick<TrunkAccount, 'transport'>): string =>
  transport === 'tls' ? 'carrier-tls' : 'carrier';

/** `sip:host:port` of a trunk, or of a user there, with its transport. */
export function trunkUri({ host, port, transport }: TrunkAccount, user?: string): string {
  const parameter = transport === 'udp' ? '' : `;transport=${transport}`;
  return `sip:${user === undefined ? '' : `${user}@`}${host}:${port}${parameter}`;
}

/**
 * Sends a request that is no new call, and again with credentials when it is challenged. `done` is told the final answer, once;
 * undefined when it could not be sent. `again` gives the headers of a repetition that must have others.
 */
export function sendRequest(
  srf: Srf,
  order: RequestOrder,
  auth: TrunkCredentials | undefined,
  done: (answer: FinalAnswer | undefined) => void,
  again: () => Readonly<Record<string, string>> = () => ({}),
): void {
  const request = srf.request as unknown as (
    options: unknown,
    sent: (error: unknown, request?: Srf.SrfRequest) => void,
  ) => void;
  const send = (headers: Readonly<Record<string, string>>, attempt: number): void => {
    request.call(srf, { ...order, headers: { ...headers } }, (error, sent) => {
      if (error || sent === undefined) {
        done(undefined);
        return;
      }
      sent.on('response', (response, ack) => {
        if (response === undefined || response.status < 200) return;
        // Twice at most: once for a challenge, once for a nonce that has become stale meanwhile.
        const proof = attempt <= 2 ? credentialsFor(response, sent, auth, attempt === 1) : undefined;
        if (proof !== undefined) send({ ...order.headers, ...again(), [proof.header]: proof.value }, attempt + 1);
        else done({ response, request: sent, acknowledge: () => void ack?.() });
      });
    });
  };
  send(order.headers, 1);
}
