import { randomInt } from 'node:crypto';
import { BlockList } from 'node:net';
import type { Logger } from 'pino';
import type { CallEvent, CallSink, MediaOrder, MediaPlane } from '../calls/ports.js';
import type { Clock } from '../clock/clock.js';
import type { Deadline } from '../clock/deadline.js';
import type { CallId } from '../policy/ids.js';
import type { Notice } from './control-protocol.js';
import { type OrderFailed, RelayLink } from './relay-link.js';
import {
  type AudioDescription,
  type HandsetOffer,
  type OurEnd,
  readOffer,
  readTrunkAnswer,
  streamFormats,
  writeHandsetAnswer,
  writeTrunkOffer,
} from './sdp.js';

/** The networks, in CIDR notation, from which the first packets of a side may come though its SDP says otherwise. */
export interface MediaNetworks {
  /** The wings' networks. When any is given, a handset's media address outside them is refused. */
  readonly cell: readonly string[];
  readonly carrier: readonly string[];
}

export interface RelayPlaneOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** May be given later by `setSink`, before the first call. */
  readonly sink?: CallSink;
  readonly networks?: MediaNetworks;
}

interface Session {
  readonly offer: HandsetOffer;
  closed: boolean;
  handsetEnd?: OurEnd;
  /** The trunk's last SDP: a 200 without one rests on that of the 183. */
  answer?: AudioDescription;
}

/** The media plane on our own relay: SDP here, packets in the relay's process. */
export class RelayPlane implements MediaPlane {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #networks: MediaNetworks;
  readonly #cellList = new BlockList();
  readonly #sessions = new Map<CallId, Session>();
  #sink: CallSink | undefined;
  #link: RelayLink | undefined;
  #onLost: (why: string) => void = () => undefined;

  constructor({ clock, log, sink, networks }: RelayPlaneOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#sink = sink;
    this.#networks = networks ?? { cell: [], carrier: [] };
    for (const network of this.#networks.cell) {
      const [address = '', prefix = ''] = network.split('/');
      this.#cellList.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4');
    }
  }

  setSink(sink: CallSink): void {
    this.#sink = sink;
  }

  /** Who is to kill and respawn the relay's process when it was lost; called after the calls have heard of it. */
  onLost(lost: (why: string) => void): void {
    this.#onLost = lost;
  }

  get attached(): boolean {
    return this.#link !== undefined;
  }

  /** Connects to a relay that has just been started. Rejects when it cannot be reached. */
  async attach(socketPath: string): Promise<void> {
    this.detach();
    const link = await RelayLink.connect(socketPath, {
      clock: this.#clock,
      onNotice: (notice) => this.#notice(notice),
      onLost: (why) => this.#lost(why),
    });
    if (!link.alive) throw new Error('the relay went away as it was attached');
    this.#link = link;
  }

  /** Ends contact on purpose; the relay drops what it holds, and nobody is told. */
  detach(): void {
    this.#link?.close();
    this.#link = undefined;
  }

  open(call: CallId, order: MediaOrder): void {
    const offer = readOffer(order.handsetOffer);
    if ('fault' in offer) {
      this.#fail(call, offer.fault, offer.why);
      return;
    }
    if (this.#networks.cell.length > 0 && !this.#cellList.check(offer.address, 'ipv4')) {
      this.#fail(call, 'media.bad-address', 'the media address is in no wing');
      return;
    }
    const { earlyMedia, digitsAllowed } = order;
    const { address, port, rtcpPort } = offer;
    const handset = { address, port, rtcpPort, networks: this.#networks.cell };
    const session: Session = { offer, closed: false };
    this.#sessions.set(call, session);
    void this.#order({ do: 'open', call, handset, earlyMedia, digitsAllowed }).then((answer) => {
      // Closed in the meantime: the close has its own answer.
      if (session.closed) return;
      if (answer.event === 'failed') {
        this.#sessions.delete(call);
        this.#fail(call, answer.code, answer.why);
        return;
      }
      session.handsetEnd = { ...answer.handsetSide, sessionId: randomInt(1, 2 ** 47) };
      // Another number on the other side: nothing that one side sees can be found on the other.
      const trunkEnd = { ...answer.trunkSide, sessionId: randomInt(1, 2 ** 47) };
      this.#tell(call, { type: 'media-opened', trunkOffer: writeTrunkOffer(offer, trunkEnd) });
    });
  }

  connect(call: CallId, trunkSdp: string, final: boolean): void {
    const session = this.#sessions.get(call);
    if (session?.handsetEnd === undefined || this.#link === undefined) {
      this.#connectFailed(call, final, 'media.lost', 'no relay holds this call');
      return;
    }
    const { offer, handsetEnd } = session;
    const answer = trunkSdp === '' && session.answer ? session.answer : readTrunkAnswer(trunkSdp, offer);
    if ('fault' in answer) {
      this.#connectFailed(call, final, answer.fault, answer.why);
      return;
    }
    session.answer = answer;
    const { address, port, rtcpPort } = answer;
    const trunk = { address, port, rtcpPort, networks: this.#networks.carrier };
    void this.#link.order({ do: 'connect', call, trunk, ...streamFormats(offer, answer) }).then((done) => {
      if (done.event === 'failed') this.#connectFailed(call, final, done.code, done.why);
      else if (final)
        this.#tell(call, { type: 'media-connected', handsetAnswer: writeHandsetAnswer(offer, answer, handsetEnd) });
    });
  }

  arm(call: CallId, deadline: Deadline, warningsS: readonly number[]): void {
    const atNs = String(deadline.monotonicNs);
    void this.#order({ do: 'arm', call, atNs, warningsS }).then((answer) => {
      if (answer.event !== 'failed') this.#tell(call, { type: 'armed', plane: 'media' });
      else this.#tell(call, { type: 'arm-failed', plane: 'media', why: `${answer.code}: ${answer.why}` });
    });
  }

  close(call: CallId): void {
    const session = this.#sessions.get(call);
    if (session) session.closed = true;
    this.#sessions.delete(call);
    void this.#order({ do: 'close', call }).then((answer) => {
      if (answer.event === 'closed') {
        const stats = answer.counters;
        this.#tell(call, { type: 'released', plane: 'media', ...(stats ? { stats } : {}) });
      } else if (answer.code === 'media.timeout') this.#tell(call, { type: 'release-timeout', plane: 'media' });
      // A relay that is gone forwards nothing.
      else this.#tell(call, { type: 'released', plane: 'media' });
    });
  }

  #order: RelayLink['order'] = (body) => {
    const gone: OrderFailed = { event: 'failed', code: 'media.lost', why: 'there is no relay' };
    return this.#link?.order(body) ?? Promise.resolve(gone);
  };

  #notice(notice: Exclude<Notice, { event: 'beat' }>): void {
    const { call, lateMs, lastForwardedMs } = notice;
    this.#log.info({ event: 'media.deadline', call, lateMs, lastForwardedMs });
    this.#tell(call as CallId, { type: 'deadline-passed', by: 'media' });
  }

  #lost(why: string): void {
    this.#link = undefined;
    this.#sessions.clear();
    this.#log.error({ event: 'media.relay-lost', why }, 'contact with the relay lost');
    this.#sink?.planeLost('media', why);
    this.#onLost(why);
  }

  /** An early SDP that cannot be used is no end of the call: the answer may be better. */
  #connectFailed(call: CallId, final: boolean, code: string, why: string): void {
    if (final) this.#fail(call, code, why);
    else this.#log.warn({ event: 'media.early-sdp-unusable', call, code, why });
  }

  #fail(call: CallId, code: string, why: string): void {
    this.#log.warn({ event: 'media.failed', call, code, why });
    this.#tell(call, { type: 'media-failed', code });
  }

  /** Never from inside the order itself: what gave it has not finished its own step yet. */
  #tell(call: CallId, event: CallEvent): void {
    queueMicrotask(() => this.#sink?.event(call, event));
  }
}
