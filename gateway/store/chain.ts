/**
 * The audit chain: each event's hash covers its content and the hash of the event before it, so that nobody can change,
 * remove or slip in an event without breaking every later one.
 */
import { createHash } from 'node:crypto';
import type { EventDraft } from '../calls/ports.js';
import { canonicalJson } from './canonical.js';
import { uuid7 } from './uuid7.js';

/** What stands before the first event of a gateway. */
export const GENESIS = '0'.repeat(64);

/** The end of a chain: what the next event is linked to. */
export interface ChainEnd {
  readonly sequence: number;
  readonly hash: string;
}

/** The gateway that a chain belongs to. */
export interface ChainOwner {
  /** `<site>/<gateway>`. */
  readonly gatewayId: string;
  readonly bootId: string;
}

/** An event with its place in the chain. `body` is the CloudEvent as it goes to headquarters, JSON text. */
export interface ChainedEvent extends ChainEnd {
  readonly kind: EventDraft['kind'];
  readonly prevhash: string;
  readonly body: string;
}

/** The CloudEvents `source` of a gateway. */
export function sourceOf(gatewayId: string): string {
  return `balise/${gatewayId}`;
}

/** The event that follows `end`, as a CloudEvents 1.0 envelope in structured form, made at `wallMs` (Unix milliseconds). */
export function chained(draft: EventDraft, end: ChainEnd, owner: ChainOwner, wallMs: number): ChainedEvent {
  const sequence = end.sequence + 1;
  const content = canonicalJson({
    specversion: '1.0',
    id: uuid7(wallMs),
    source: sourceOf(owner.gatewayId),
    type: draft.type,
    time: new Date(wallMs).toISOString(),
    datacontenttype: 'application/json',
    kind: draft.kind,
    sequence,
    bootid: owner.bootId,
    prevhash: end.hash,
    data: draft.data,
  });
  const hash = sha256(content);
  return { sequence, kind: draft.kind, prevhash: end.hash, hash, body: `${content.slice(0, -1)},"hash":"${hash}"}` };
}

/** The hash that an envelope should carry: SHA-256, in hex, of its canonical JSON without `hash`. */
export function hashOf(envelope: Readonly<Record<string, unknown>>): string {
  const { hash: _, ...content } = envelope;
  return sha256(canonicalJson(content));
}

export type ChainBreak = 'unreadable' | 'gap' | 'content' | 'link';

/** Why `body` cannot follow `before`, or undefined when it can, and then its own end. */
export function follows(
  body: string,
  before: ChainEnd,
): { readonly end: ChainEnd } | { readonly broken: ChainBreak; readonly sequence: number } {
  const expected = before.sequence + 1;
  let envelope: Record<string, unknown>;
  try {
    envelope = JSON.parse(body) as Record<string, unknown>;
  } catch {
    return { broken: 'unreadable', sequence: expected };
  }
  if (envelope.sequence !== expected) return { broken: 'gap', sequence: expected };
  if (hashOf(envelope) !== envelope.hash) return { broken: 'content', sequence: expected };
  if (envelope.prevhash !== before.hash) return { broken: 'link', sequence: expected };
  return { end: { sequence: expected, hash: envelope.hash as string } };
}

/** What a walk along a chain found. */
export type ChainReport =
  | { readonly whole: true; readonly from: number; readonly to: number }
  | { readonly whole: false; readonly sequence: number; readonly broken: ChainBreak };

/** Walks a chain event by event, from a known end on, and stops at the first break. */
export class ChainWalk {
  readonly #first: number;
  #end: ChainEnd;
  #break: { readonly broken: ChainBreak; readonly sequence: number } | undefined;

  constructor(before: ChainEnd) {
    this.#end = before;
    this.#first = before.sequence + 1;
  }

  /** Takes the next event's body; false when the chain is broken there, or was before. */
  take(body: string): boolean {
    if (this.#break !== undefined) return false;
    const next = follows(body, this.#end);
    if ('broken' in next) {
      this.#break = next;
      return false;
    }
    this.#end = next.end;
    return true;
  }

  get end(): ChainEnd {
    return this.#end;
  }

  report(): ChainReport {
    if (this.#break !== undefined) return { whole: false, ...this.#break };
    return { whole: true, from: this.#first, to: this.#end.sequence };
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
