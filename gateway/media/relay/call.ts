import type { CallCounters, Notice, OrderBody, StreamFormats } from '../control-protocol.js';
import { CallSounds } from './call-sounds.js';
import type { RelayClock } from './clock.js';
import { DigitFilter, type DigitKind } from './digit-filter.js';
import { KeySender } from './key-sender.js';
import { type Contact, Lease } from './lease.js';
import { PayloadTypes } from './payload-types.js';
import type { SocketPair } from './port-pairs.js';
import { RoundTrip } from './round-trip.js';
import { Side } from './side.js';
import { SilenceWatch } from './silence-watch.js';
import type { SoundLibrary } from './sound-library.js';
import { networkList } from './source-latch.js';
import { Stream } from './stream.js';
import type { TapSocket } from './tap.js';

export { NoPrompt } from './call-sounds.js';

type ArmHow = Pick<OrderOf<'arm'>, 'warningsS' | 'speech' | 'silenceMs'>;
type OrderOf<Do extends OrderBody['do']> = Extract<OrderBody, { do: Do }>;

export interface CallParts {
  readonly clock: RelayClock;
  readonly contact: Contact;
  readonly sounds: SoundLibrary;
  readonly tell: (notice: Notice) => void;
  readonly handset: SocketPair;
  readonly trunk: SocketPair;
  readonly order: OrderOf<'open'>;
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
  readonly #sounds: CallSounds;
  readonly #trips = { handset: new RoundTrip(), trunk: new RoundTrip() };
  readonly #taps = new Map<string, NonNullable<OrderOf<'tap'>['to']>>();
  readonly #told = new Set<DigitKind>();
  #silence: SilenceWatch | undefined;
  #ended = false;

  /** Throws TypeError when the order names no network where it should. */
  constructor(parts: CallParts) {
    this.#parts = parts;
    const { clock, contact, order } = parts;
    this.#handset = new Side(parts.handset);
    this.#trunk = new Side(parts.trunk);
    this.#handset.expect(order.handset, networkList(order.handset.networks));
    this.#lease = new Lease(clock, contact, (lateMs) => this.#onDeadline(lateMs));
    this.#toTrunk = new Stream(clock, this.#lease, this.#handset, this.#trunk);
    this.#toHandset = new Stream(clock, this.#lease, this.#trunk, this.#handset);
    this.#toHandset.open = order.earlyMedia;
    for (const [stream, from, to] of [
      [this.#toTrunk, 'handset', 'trunk'],
      [this.#toHandset, 'trunk', 'handset'],
    ] as const) {
      stream.fromTrip = this.#trips[from];
      stream.toTrip = this.#trips[to];
    }
    this.#sounds = new CallSounds(clock, parts.sounds, {
      handset: { stream: this.#toHandset, send: (packet) => this.#send(this.#handset, packet) },
      trunk: { stream: this.#toTrunk, send: (packet) => this.#send(this.#trunk, packet) },
    });
  }

  /** The trunk's SDP, early or final; a later one replaces an earlier one until the call is armed. */
  connect(order: OrderOf<'connect'>): void {
    const { digitsAllowed, digitsMost, digitsInSpeech } = this.#parts.order;
    this.#trunk.expect(order.trunk, networkList(order.trunk.networks));
    this.#sounds.hush();
    this.#toTrunk.types = new PayloadTypes(order.toTrunk);
    // Events that the trunk never agreed to are taken, so that the handset sends events and no in-band tones, and dropped.
    this.#toTrunk.digits = new DigitFilter(
      {
        allowed: order.toTrunk.eventsPass ? digitsAllowed : '',
        ...(digitsMost === undefined ? {} : { most: digitsMost }),
        inSpeech: digitsInSpeech === true,
      },
      (kind) => this.#digitRefused(kind),
      this.#onKey,
    );
    this.#toHandset.types = new PayloadTypes(order.toHandset);
    this.#toTrunk.keys?.stop();
    this.#toTrunk.keys = this.#keysTo(order.toTrunk);
  }

  #keysTo({ events, eventsPass }: StreamFormats): KeySender | undefined {
    if (events === undefined || !eventsPass) return undefined;
    return new KeySender(this.#parts.clock, {
      payloadType: events,
      isOpen: () => this.#toTrunk.open && !this.#toTrunk.held,
      send: (packet) => this.#send(this.#trunk, packet),
    });
  }

  /** A key that came by signalling: to the trunk as an event, if it may pass. Undefined where there is no trunk yet. */
  key(key: string): boolean | undefined {
    const { digits, keys, open, held } = this.#toTrunk;
    const passes = digits?.passesKey(key, keys?.hasRoom === true && open && !held && this.#lease.armed);
    if (passes) keys?.press(key);
    return passes;
  }

  /** Told of each key, where the call was opened so. */
  get #onKey(): ((key: string) => void) | undefined {
    const { tell, order } = this.#parts;
    return order.keys === true ? (key) => tell({ event: 'key', call: order.call, key }) : undefined;
  }

  /** Keeps the handset company: its keys are heard, and there is nobody to whom anything could be forwarded. */
  attend({ formats }: OrderOf<'attend'>): void {
    const { clock, order } = this.#parts;
    if (this.#toTrunk.digits === undefined) {
      this.#toTrunk.types = new PayloadTypes(formats);
      this.#toHandset.types = new PayloadTypes(formats);
      this.#toTrunk.isForUs = true;
      this.#toTrunk.digits = new DigitFilter({ allowed: '' }, (kind) => this.#digitRefused(kind), this.#onKey);
      return;
    }
    // It comes back from another call of its own: its address is the same, its SSRC need not be.
    this.#handset.expect(order.handset, networkList(order.handset.networks));
    this.#handset.answered(clock.now());
  }

  get attended(): boolean {
    return !this.connected && this.#toTrunk.digits !== undefined;
  }

  /** Speaks to an attended handset; tells how long it lasts, milliseconds, ring-back left out. Throws NoPrompt. */
  say({ language, pieces, ring }: OrderOf<'say'>): number {
    return this.#sounds.say(language, pieces, ring);
  }

  hush(): void {
    this.#sounds.hush();
  }

  get connected(): boolean {
    return this.#trunk.latch !== undefined;
  }

  get armed(): boolean {
    return this.#lease.armed;
  }

  /** Speaks to the handset, and to nobody else: there is no trunk. Tells how long it lasts; throws NoPrompt. */
  announce({ call, toHandset, language, pieces }: OrderOf<'announce'>): number {
    this.#toHandset.types = new PayloadTypes(toHandset);
    return this.#sounds.announce(language, pieces, () => this.#parts.tell({ event: 'played', call }));
  }

  /** Rings back to the handset until the trunk is connected. Throws NoPrompt. */
  ringBack({ toHandset }: OrderOf<'ring'>): void {
    this.#toHandset.types = new PayloadTypes(toHandset);
    this.#sounds.say('', [], true);
  }

  /** Opens both gates until the deadline, an instant of the relay's clock. A second time it can only come closer. Throws NoPrompt. */
  arm(deadlineMs: number, { warningsS, speech, silenceMs }: ArmHow): void {
    const { clock } = this.#parts;
    const first = !this.#lease.armed;
    const announcement = first ? this.#sounds.announcementFor(speech) : undefined;
    this.#lease.arm(deadlineMs);
    if (first) {
      const nowMs = clock.now();
      this.#handset.answered(nowMs);
      this.#trunk.answered(nowMs);
      this.#toTrunk.answered();
      this.#toHandset.answered();
      if (silenceMs !== undefined) this.#watchSilence(silenceMs);
    }
    if (announcement !== undefined) {
      // What the callee must hear before the caller, it hears: the caller's gate opens at its end, and never after the call's.
      this.#toTrunk.open = false;
      announcement(() => {
        if (!this.#ended && !this.#lease.passed) this.#toTrunk.open = true;
      });
    }
    this.#sounds.planWarnings(this.#lease.deadlineMs, warningsS, speech);
  }

  /** Sends the handset's speech back to it until the deadline. Of the trunk's side there is nobody, and `connect` comes too late. */
  echo(formats: StreamFormats, deadlineMs: number): void {
    this.#toTrunk.types = new PayloadTypes(formats);
    this.#toTrunk.sendBack();
    this.#lease.arm(deadlineMs);
    this.#handset.latch?.answered(this.#parts.clock.now());
    this.#toTrunk.answered();
  }

  /** Who may speak after a re-INVITE. The gates stay as they are. */
  hold({ toTrunk, toHandset }: OrderOf<'hold'>): void {
    this.#toTrunk.held = !toTrunk;
    this.#toHandset.held = !toHandset;
  }

  /** Begins or ends a copy of both streams. */
  tap({ tap, to }: OrderOf<'tap'>, socket: TapSocket): void {
    if (to === undefined) this.#taps.delete(tap);
    else this.#taps.set(tap, to);
    const ends = [...this.#taps.values()];
    const copy = (portOf: (end: (typeof ends)[number]) => number) =>
      ends.length === 0
        ? undefined
        : (packet: Buffer): void => {
            for (const end of ends) socket.send(packet, { address: end.address, port: portOf(end) });
          };
    this.#toTrunk.tap = copy(({ handsetPort }) => handsetPort);
    this.#toHandset.tap = copy(({ trunkPort }) => trunkPort);
  }

  /** Silence at once, sockets closed, and what the call carried. */
  end(): CallCounters {
    const counters = this.counters();
    if (!this.#ended) {
      this.#ended = true;
      this.#lease.end();
      this.#mute();
      for (const side of [this.#parts.handset, this.#parts.trunk]) side.close();
    }
    return counters;
  }

  /** What it has carried so far. */
  counters(): CallCounters {
    const toTrunk = this.#toTrunk;
    const toHandset = this.#toHandset;
    const { deadlineMs } = this.#lease;
    const nowMs = Math.min(this.#parts.clock.now(), deadlineMs);
    const lastMs = this.#lastForwardedMs();
    const handset = toTrunk.quality.read(nowMs, toTrunk.held, this.#trips.handset.ms);
    const trunk = toHandset.quality.read(nowMs, toHandset.held, this.#trips.trunk.ms);
    return {
      handsetPackets: toTrunk.forwarded,
      trunkPackets: toHandset.forwarded,
      dropped: toTrunk.dropped + toHandset.dropped,
      droppedAfterDeadline: toTrunk.droppedAfterDeadline + toHandset.droppedAfterDeadline,
      lost: handset.lost + trunk.lost,
      jitterMs: trunk.jitterMs,
      digitsDropped: toTrunk.digits?.dropped ?? 0,
      digitsMuted: toTrunk.digits?.muted ?? 0,
      digitsPassed: toTrunk.digits?.passed ?? 0,
      socketErrors: this.#parts.handset.errors + this.#parts.trunk.errors,
      handset,
      trunk,
      ...(this.#lease.armed && lastMs !== undefined ? { lastForwardedMsAfterDeadline: lastMs - deadlineMs } : {}),
    };
  }

  #watchSilence(forMs: number): void {
    const { clock, tell, order } = this.#parts;
    const silences = () => {
      const { handset, trunk } = this.counters();
      return { handset: handset.silentMs, trunk: trunk.silentMs };
    };
    this.#silence = new SilenceWatch({
      clock,
      forMs,
      silences,
      tell: (side, silentMs) => tell({ event: 'silence', call: order.call, side, silentMs }),
    });
  }

  #digitRefused(kind: DigitKind): void {
    // Whoever asked for the keys knows of each.
    if (this.#parts.order.keys === true && kind === 'event') return;
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#parts.tell({ event: 'digit', call: this.#parts.order.call, kind });
  }

  #onDeadline(lateMs: number): void {
    this.#mute();
    const lastMs = this.#lastForwardedMs();
    this.#parts.onDeadline(lateMs, lastMs === undefined ? undefined : lastMs - this.#lease.deadlineMs);
  }

  #mute(): void {
    this.#toTrunk.open = false;
    this.#toHandset.open = false;
    this.#sounds.stop();
    this.#toTrunk.keys?.stop();
    this.#silence?.stop();
  }

  #lastForwardedMs(): number | undefined {
    const lastMs = Math.max(this.#toTrunk.lastForwardedMs, this.#toHandset.lastForwardedMs);
    return Number.isFinite(lastMs) ? lastMs : undefined;
  }

  #send(side: Side, packet: Buffer): boolean {
    if (side.latch === undefined || this.#ended || !this.#lease.holds(this.#parts.clock.now())) return false;
    side.send(packet);
    return true;
  }
}
