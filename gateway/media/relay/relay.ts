import { isIP } from 'node:net';
import type { Answer, FailureCode, Notice, Order } from '../control-protocol.js';
import { PROTOCOL_VERSION } from '../control-protocol.js';
import { NoPrompt, RelayCall } from './call.js';
import type { RelayClock } from './clock.js';
import type { Contact } from './lease.js';
import { PortPairs, type PortRange, PortsExhausted, type SocketPair } from './port-pairs.js';
import type { SoundLibrary } from './sound-library.js';
import { TapSocket } from './tap.js';

/** Long enough to hear oneself, and too short to be of any other use, milliseconds. */
const LONGEST_ECHO_MS = 60_000;

export interface RelayOptions {
  readonly clock: RelayClock;
  readonly contact: Contact;
  readonly cellAddress: string;
  readonly carrierAddress: string;
  /** null: the kernel's choice. */
  readonly ports: PortRange | null;
  readonly sounds: SoundLibrary;
  readonly tell: (notice: Notice) => void;
  readonly onSocketError: (error: Error) => void;
  /** Told once, when a retired relay holds no call any more. */
  readonly onRetired: () => void;
}

class Failure extends Error {
  readonly code: FailureCode;
  constructor(code: FailureCode, why: string) {
    super(why);
    this.code = code;
  }
}

/** Every call's media, by the gateway's orders. It knows packets and sockets, and nothing of SIP or of numbers. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #cell: PortPairs;
  readonly #carrier: PortPairs;
  readonly #calls = new Map<string, RelayCall>();
  /** Calls whose sockets are being bound; `ended` says that they are no longer wanted. */
  readonly #opening = new Map<string, { ended: boolean }>();
  readonly #taps = new TapSocket();
  #retiring = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { cellAddress, carrierAddress, ports, onSocketError } = options;
    this.#cell = new PortPairs(cellAddress, ports, onSocketError);
    this.#carrier = carrierAddress === cellAddress ? this.#cell : new PortPairs(carrierAddress, ports, onSocketError);
  }

  /** Binds and frees a pair on either address. Rejects with the system's error when one is not ours. */
  async tryAddresses(): Promise<void> {
    for (const pairs of new Set([this.#cell, this.#carrier])) {
      const pair = await pairs.open().catch((error: unknown) => {
        // Ports that others hold now may be free when the first call comes.
        if (!(error instanceof PortsExhausted)) throw error;
      });
      pair?.close();
    }
  }

  /** Carries out one order; it never rejects, what goes wrong is the answer `failed`. */
  async carryOut(order: Order): Promise<Answer> {
    try {
      return await this.#do(order);
    } catch (error) {
      const { id } = order;
      if (error instanceof Failure) return { event: 'failed', id, code: error.code, why: error.message };
      if (error instanceof PortsExhausted)
        return { event: 'failed', id, code: 'media.ports-exhausted', why: error.message };
      if (error instanceof NoPrompt) return { event: 'failed', id, code: 'media.no-prompt', why: error.message };
      if (error instanceof TypeError) return { event: 'failed', id, code: 'media.bad-order', why: error.message };
      return { event: 'failed', id, code: 'media.socket', why: String(error) };
    }
  }

  /** Silence on every call at once, for good: contact was lost, or this process ends. */
  dropAll(): number {
    const held = this.#calls.size;
    for (const opening of this.#opening.values()) opening.ended = true;
    for (const call of this.#calls.values()) call.end();
    this.#calls.clear();
    this.#retiredIfEmpty();
    return held;
  }

  async #do(order: Order): Promise<Answer> {
    const { id } = order;
    switch (order.do) {
      case 'hello':
        return { event: 'hello', id, version: PROTOCOL_VERSION, pid: process.pid };
      case 'open':
        return this.#open(order);
      case 'connect': {
        const call = this.#call(order.call);
        if (call.attended) throw new Failure('media.bad-order', 'a call to the desk gets no trunk');
        if (call.armed) throw new Failure('media.bad-order', 'an armed call keeps the trunk that it has');
        this.#sameFamily(order.trunk.address, this.#options.carrierAddress);
        call.connect(order);
        return { event: 'connected', id, call: order.call };
      }
      case 'arm': {
        const call = this.#call(order.call);
        if (!call.connected && !call.attended) throw new Failure('media.bad-order', 'armed before it was connected');
        call.arm(this.#options.clock.fromNs(BigInt(order.atNs)), order);
        return { event: 'armed', id, call: order.call };
      }
      case 'announce': {
        const call = this.#call(order.call);
        if (call.connected) throw new Failure('media.bad-order', 'a call that has a trunk is not announced to');
        return { event: 'playing', id, call: order.call, lengthMs: call.announce(order) };
      }
      case 'ring': {
        const call = this.#call(order.call);
        if (call.connected) throw new Failure('media.bad-order', 'a call that has a trunk is not rung back');
        call.ringBack(order);
        return { event: 'ringing', id, call: order.call };
      }
      case 'echo': {
        const call = this.#call(order.call);
        if (call.connected || call.armed)
          throw new Failure('media.bad-order', 'only a call without a trunk is an echo');
        const { clock } = this.#options;
        call.echo(order.formats, Math.min(clock.fromNs(BigInt(order.atNs)), clock.now() + LONGEST_ECHO_MS));
        return { event: 'echoing', id, call: order.call };
      }
      case 'attend': {
        const call = this.#call(order.call);
        if (call.connected) throw new Failure('media.bad-order', 'a call that has a trunk is not attended');
        call.attend(order);
        return { event: 'attending', id, call: order.call };
      }
      case 'say':
        return { event: 'saying', id, call: order.call, lengthMs: this.#attended(order.call).say(order) };
      case 'hush':
        this.#attended(order.call).hush();
        return { event: 'hushed', id, call: order.call };
      case 'key': {
        const passed = this.#call(order.call).key(order.key);
        if (passed === undefined) throw new Failure('media.bad-order', 'there is no trunk to which a key could go');
        return { event: 'keyed', id, call: order.call, passed };
      }
      case 'learn':
        this.#options.sounds.learn(order.language, order.piece, Buffer.from(order.sound, 'base64'), order.first);
        return { event: 'learnt', id };
      case 'tap':
        this.#call(order.call).tap(order, this.#taps);
        return { event: 'tapped', id, call: order.call };
      case 'measure':
        return { event: 'measured', id, call: order.call, counters: this.#call(order.call).counters() };
      case 'hold':
        this.#call(order.call).hold(order);
        return { event: 'held', id, call: order.call };
      case 'close':
        return this.#close(id, order.call);
      case 'status':
        return { event: 'status', id, calls: [...this.#calls.keys()], retiring: this.#retiring };
      case 'retire':
        this.#retiring = true;
        // The answer goes out before a process without calls ends.
        setImmediate(() => this.#retiredIfEmpty());
        return { event: 'retiring', id, calls: this.#calls.size };
    }
  }

  async #open(order: Extract<Order, { do: 'open' }>): Promise<Answer> {
    const { id, call } = order;
    const { clock, contact, tell, sounds, cellAddress, carrierAddress } = this.#options;
    if (this.#retiring) throw new Failure('media.retiring', 'this relay takes no more calls');
    if (this.#calls.has(call) || this.#opening.has(call)) throw new Failure('media.call-exists', 'opened twice');
    this.#sameFamily(order.handset.address, cellAddress);
    const opening = { ended: false };
    const pairs: SocketPair[] = [];
    this.#opening.set(call, opening);
    try {
      const handset = await this.#cell.open();
      pairs.push(handset);
      const trunk = await this.#carrier.open();
      pairs.push(trunk);
      if (opening.ended) throw new Failure('media.call-closed', 'closed while it was being opened');
      const onDeadline = (lateMs: number, lastForwardedMs: number | undefined): void =>
        tell({ event: 'deadline', call, lateMs, ...(lastForwardedMs === undefined ? {} : { lastForwardedMs }) });
      this.#calls.set(call, new RelayCall({ clock, contact, sounds, tell, handset, trunk, order, onDeadline }));
      return {
        event: 'opened',
        id,
        call,
        handsetSide: { address: cellAddress, port: handset.port },
        trunkSide: { address: carrierAddress, port: trunk.port },
      };
    } catch (error) {
      for (const pair of pairs) pair.close();
      throw error;
    } finally {
      this.#opening.delete(call);
      setImmediate(() => this.#retiredIfEmpty());
    }
  }

  #close(id: number, call: string): Answer {
    const opening = this.#opening.get(call);
    if (opening) opening.ended = true;
    const held = this.#calls.get(call);
    if (held === undefined) return { event: 'closed', id, call };
    this.#calls.delete(call);
    const counters = held.end();
    setImmediate(() => this.#retiredIfEmpty());
    return { event: 'closed', id, call, counters };
  }

  /** A socket of one family of IP reaches no address of the other. */
  #sameFamily(peer: string, ours: string): void {
    if (isIP(peer) === isIP(ours)) return;
    throw new Failure('media.bad-address', `a peer on IPv${isIP(peer)} cannot be reached from our IPv${isIP(ours)}`);
  }

  #attended(id: string): RelayCall {
    const call = this.#call(id);
    if (!call.attended || !call.armed)
      throw new Failure('media.bad-order', 'only an armed call to the desk is spoken to');
    return call;
  }

  #call(id: string): RelayCall {
    const call = this.#calls.get(id);
    if (call === undefined) throw new Failure('media.call-unknown', 'no such call is open');
    return call;
  }

  #retiredIfEmpty(): void {
    if (this.#retiring && this.#calls.size === 0 && this.#opening.size === 0) this.#options.onRetired();
  }
}
