import type { ErrorCode, ErrorView } from '../api/faults.js';

/** What stands in the way of an answer: the gateway's own code, or that it cannot be reached at all. */
export type FaultCode = ErrorCode | 'unreachable';

/** An answer that is no success. */
export class AskFault extends Error {
  constructor(
    readonly code: FaultCode,
    /** Plain English, from the gateway; shown where the page has no words of its own. */
    readonly said: string,
    readonly retryAfterS?: number,
    /** One by one, what is wrong with what was asked, in English. */
    readonly details: readonly string[] = [],
  ) {
    super(said);
  }
}

let csrf = '';
let onSessionLost: () => void = () => undefined;

/** What goes with every change, and who is told when the gateway no longer knows the session. */
export function armAsk(token: string, sessionLost: () => void): void {
  csrf = token;
  onSessionLost = sessionLost;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * Asks the gateway for `path` under `/api`, and gives the JSON of the answer.
 * Rejects with an AskFault, and with nothing else; `signal` ends the wait (AbortError).
 */
export async function ask<T>(path: string, method: Method = 'GET', body?: unknown, signal?: AbortSignal): Promise<T> {
  const answer = await reach(`api/${path}`, {
    method,
    headers: {
      ...(method === 'GET' ? {} : { 'x-csrf-token': csrf }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (answer.ok) return (answer.status === 204 ? undefined : await answer.json()) as T;
  const fault = await faultOf(answer);
  if (fault.code === 'session.none') onSessionLost();
  throw fault;
}

/** Fetches, and turns what the network has to say into an AskFault. */
export async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, credentials: 'same-origin', cache: 'no-store', redirect: 'error' });
  } catch (fault) {
    if (fault instanceof DOMException && fault.name === 'AbortError') throw fault;
    throw new AskFault('unreachable', fault instanceof Error ? fault.message : String(fault));
  }
}

/** What an answer that is no success says. */
export async function faultOf(answer: Response): Promise<AskFault> {
  const text = await answer.text();
  try {
    const { code, error, retryAfterS, faults = [], remarks = [] } = JSON.parse(text) as ErrorView;
    const details = [
      ...faults.map(({ pointer, found, expected, hint }) => `${pointer}: ${found}; ${expected}. ${hint}`),
      ...remarks,
    ];
    const wait = retryAfterS ?? Number(answer.headers.get('retry-after') ?? Number.NaN);
    return new AskFault(code, error, Number.isFinite(wait) ? wait : undefined, details);
  } catch (fault) {
    if (!(fault instanceof SyntaxError)) throw fault;
    return new AskFault('fault', `${answer.status}: ${text.slice(0, 200)}`);
  }
}
