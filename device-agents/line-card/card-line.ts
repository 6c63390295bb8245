import type { LineReport } from '../agent.js';
import { MS, msBetween } from '../clock.js';
import type { LeaseKeeper } from '../lease-keeper.js';
import { ANSWER_MS } from './card-talk.js';
import type { LampColour, Order } from './message.js';

/** A standing lease is said again when less than this is left of it at the card, milliseconds. */
export const RENEW_MS = 3_000;
/** A lease of less is not worth its way, milliseconds. */
const SHORTEST_MS = 50;
/** What is said at once, milliseconds: with the way over the wire an agent that dies leaves nothing closed for 5 s. */
const LONGEST_SAID_MS = 4_000;
/** The relay is opened at its lease's end by the card; should it not, it is told to, so much later, milliseconds. */
export const OVERDUE_MS = 100;

/** One line of the card: what the card said of it, what it was told, and what there is to tell it. */
export class CardLine {
  hook: LineReport['hook'] = 'unknown';
  relay: LineReport['relay'] = 'unknown';
  tamper = false;
  /** Until when the card may hold the relay closed, by what was said to it, acknowledged or not. */
  cardEndNs = 0n;
  /** The lease that the card has acknowledged. */
  obeyedNs = 0n;
  /** It is to be read back and reported, changed or not. */
  mustConfirm = false;
  readonly lamp: { wanted: LampColour; shown: LampColour | undefined } = { wanted: 'OFF', shown: undefined };
  readonly text: { wanted: string; shown: string | undefined } = { wanted: '', shown: undefined };
  /** What was reported last. */
  reported = '';

  constructor(
    readonly handset: string,
    readonly line: number,
    private readonly leases: LeaseKeeper,
  ) {}

  get isKnown(): boolean {
    return this.hook !== 'unknown' && this.relay !== 'unknown';
  }

  /** What the card was told and has said counts no more. */
  forget(): void {
    this.hook = 'unknown';
    this.relay = 'unknown';
    this.lamp.shown = undefined;
    this.text.shown = undefined;
    this.obeyedNs = 0n;
    this.cardEndNs = 0n;
  }

  isLeased(nowNs: bigint): boolean {
    return this.leases.connected(this.handset, nowNs);
  }

  /** No lease stands, and the relay may be closed, or is, or is to be confirmed open. */
  mustOpen(nowNs: bigint): boolean {
    if (this.isLeased(nowNs)) return false;
    // A lease that has just run out at the card opens it by itself.
    const isOverdue = this.relay === 'connected' && nowNs >= this.cardEndNs + BigInt(OVERDUE_MS) * MS;
    return nowNs < this.cardEndNs || isOverdue || this.mustConfirm;
  }

  /** The lease to say now, for what is left of it; undefined when the card knows enough, or none stands. */
  lease(nowNs: bigint): Order | undefined {
    const endNs = this.leases.endNs(this.handset);
    const isRenewed = this.obeyedNs !== this.leases.lastNs(this.handset) && endNs > this.cardEndNs;
    const isDue = msBetween(nowNs, this.cardEndNs) < RENEW_MS && isRenewed;
    const isShorter = this.cardEndNs > endNs + BigInt(ANSWER_MS + 1) * MS;
    return isDue || isShorter || this.mustConfirm ? this.leaseFor(nowNs) : undefined;
  }

  /** A lease for what is left; undefined when that is not worth its way. */
  leaseFor(nowNs: bigint): Order | undefined {
    const leftMs = Math.floor(msBetween(nowNs, this.leases.endNs(this.handset)));
    if (leftMs < SHORTEST_MS) return undefined;
    return { verb: 'LEASE', line: this.line, forMs: Math.min(leftMs, LONGEST_SAID_MS) };
  }

  /** A lease was said: from now on the card may hold the relay for as long as it was told. */
  leaseSaid(forMs: number, nowNs: bigint): void {
    // Later by its way over the wire: what is worked out here must never be earlier than what the card does.
    this.cardEndNs = nowNs + BigInt(forMs + ANSWER_MS) * MS;
  }

  display(): Order | undefined {
    const { line, lamp, text } = this;
    if (lamp.wanted !== lamp.shown) return { verb: 'LAMP', line, colour: lamp.wanted };
    if (text.wanted !== text.shown) return { verb: 'TEXT', line, text: text.wanted };
    return undefined;
  }

  report(isInUse: boolean): LineReport {
    const { hook, relay, tamper, obeyedNs: leaseNs } = this;
    if (!isInUse) return { hook: 'unknown', relay: 'unknown', tamper, leaseNs };
    return { hook, relay, tamper, leaseNs };
  }
}
