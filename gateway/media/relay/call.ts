import type { CallCounters, OrderBody, PeerAddress } from '../control-protocol.js';
import type { RelayClock, RelayTimer } from './clock.js';
import { DigitFilter } from './digit-filter.js';
import { type Contact, Lease } from './lease.js';
import { PayloadTypes } from './payload-types.js';
import type { SocketPair } from './port-pairs.js';
import { networkList, SourceLatch } from './source-latch.js';
import { type Side, Stream } from './stream.js';
import { WarningPlayer } from './warning-player.js';

export interface CallParts {
  readonly clock: RelayClock;
  readonly contact: Contact;
  readonly handset: SocketPair;
  readonly trunk: SocketPair;
  readonly order: Extract<OrderBody, { do: 'open' }>;
  /** Called once, when the deadline is seen to have passed. Times in milliseconds. */
  readonly onDeadline: (lateMs: number, lastForwardedMs: number | undefined) => void;
}

/** One call's media: two sides, two streams, one lease. */
export class RelayCall {
  readonly #parts: CallParts;
  readonly #handset: Side;
  readonly #trunk: Side;
  readonly #lease: Lease;
  readonly #toTrunk: Stream;
  readonly #toHandset: Stream;
  #warning: WarningPlayer | undefined;
  #warningTimers: RelayTimer[] = [];
  #ended = false;

  /** Throws TypeError when the order names no network where it should. */
  constructor(parts: CallParts) {
    this.#parts = parts;
    const { clock, contact, order } = parts;
    this.#handset = { rtp: parts.handset.rtp, rtcp: parts.handset.rtcp };
    this.#trunk = { rtp: parts.trunk.rtp, rtcp: parts.trunk.rtcp };
    expectPeer(this.#handset, order.handset);
    this.#lease = new Lease(clock, contact, (lateMs) => this.#onDeadline(lateMs));
    this.#toTrunk = new Stream(clock, this.#lease, this.#handset, this.#trunk);
    this.#toHandset = new Stream(clock, this.#lease, this.#trunk, this.#handset);
    this.#toHandset.open = order.earlyMedia;
  }

  /** The trunk's SDP, early or final; a later one replaces an earlier one until the call is armed. */
  connect(order: Extract<OrderBody, { do: 'connect' }>): void {
    expectPeer(this.#trunk, order.trunk);
    this.#toTrunk.types = new PayloadTypes(order.toTrunk);
    // Events that the trunk never agreed to are taken, so that the handset sends events and no in-band tones, and dropped.
    this.#toTrunk.digits = new DigitFilter(order.toTrunk.eventsPass ? this.#parts.order.digitsAllowed : '');
    this.#toHandset.types = new PayloadTypes(order.toHandset);
  }

  get connected(): boolean {
    return this.#trunk.latch !== undefined;
  }

  get armed(): boolean {
    return this.#lease.armed;
  }

  /** Opens both gates until the deadline, an instant of the relay's clock. A second time it can only come closer. */
  arm(deadlineMs: number, warningsS: readonly number[]): void {
    const { clock } = this.#parts;
    const first = !this.#lease.armed;
    this.#lease.arm(deadlineMs);
    if (first) {
      const nowMs = clock.now();
      for (const { latch, rtcpLatch } of [this.#handset, this.#trunk]) {
        latch?.answered(nowMs);
        rtcpLatch?.answered(nowMs);
      }
      this.#toTrunk.answered();
      this.#toHandset.answered();
    }
    this.#planWarnings(warningsS);
  }

  /** Who may speak after a re-INVITE. The gates stay as they are. */
  hold({ toTrunk, toHandset }: Extract<OrderBody, { do: 'hold' }>): void {
    this.#toTrunk.held = !toTrunk;
    this.#toHandset.held = !toHandset;
  }

  /** Silence at once, sockets closed, and what the call carried. */
  end(): CallCounters {
    if (!this.#ended) {
      this.#ended = true;
      this.#lease.end();
      this.#silence();
      for (const side of [this.#parts.handset, this.#parts.trunk]) side.close();
    }
    const { deadlineMs } = this.#lease;
    const lastMs = this.#lastForwardedMs();
    return {
      handsetPackets: this.#toTrunk.forwarded,
      trunkPackets: this.#toHandset.forwarded,
      dropped: this.#toTrunk.dropped + this.#toHandset.dropped,
      droppedAfterDeadline: this.#toTrunk.droppedAfterDeadline + this.#toHandset.droppedAfterDeadline,
      lost: this.#toTrunk.lost + this.#toHandset.lost,
      jitterMs: this.#toHandset.jitterMs,
      digitsDropped: this.#toTrunk.digits?.dropped ?? 0,
      socketErrors: this.#parts.handset.errors + this.#parts.trunk.errors,
      ...(this.#lease.armed && lastMs !== undefined ? { lastForwardedMsAfterDeadline: lastMs - deadlineMs } : {}),
    };
  }

  #onDeadline(lateMs: number): void {
    this.#silence();
    const lastMs = this.#lastForwardedMs();
    this.#parts.onDeadline(lateMs, lastMs === undefined ? undefined : lastMs - this.#lease.deadlineMs);
  }

  #silence(): void {
    this.#toTrunk.open = false;
    this.#toHandset.open = false;
    for (const timer of this.#warningTimers) timer.cancel();
    this.#warningTimers = [];
    this.#warning?.stop();
  }

  #lastForwardedMs(): number | undefined {
    const lastMs = Math.max(this.#toTrunk.lastForwardedMs, this.#toHandset.lastForwardedMs);
    return Number.isFinite(lastMs) ? lastMs : undefined;
  }

  #planWarnings(warningsS: readonly number[]): void {
    const { clock } = this.#parts;
    const { types } = this.#toHandset;
    for (const timer of this.#warningTimers) timer.cancel();
    this.#warningTimers = [];
    if (types === undefined || warningsS.length === 0) return;
    const stream = this.#toHandset;
    this.#warning ??= new WarningPlayer(clock, types, {
      get lastForwardedMs() {
        return stream.lastForwardedMs;
      },
      send: (packet) => this.#sendToHandset(packet),
    });
    const player = this.#warning;
    stream.overlay = player;
    for (const seconds of new Set(warningsS)) {
      const waitMs = this.#lease.deadlineMs - seconds * 1_000 - clock.now();
      if (waitMs > 0) this.#warningTimers.push(clock.after(waitMs, () => player.start()));
    }
  }

  #sendToHandset(packet: Buffer): boolean {
    const { latch, rtp } = this.#handset;
    if (latch === undefined || this.#ended || !this.#lease.holds(this.#parts.clock.now())) return false;
    rtp.send(packet, latch.port, latch.address);
    return true;
  }
}

function expectPeer(side: Side, peer: PeerAddress): void {
  const networks = networkList(peer.networks);
  side.latch = new SourceLatch(peer, networks);
  if (peer.rtcpPort === 0) delete side.rtcpLatch;
  else if (peer.rtcpPort === peer.port) side.rtcpLatch = side.latch;
  else side.rtcpLatch = new SourceLatch({ address: peer.address, port: peer.rtcpPort }, networks);
}
