import type { Logger } from 'pino';
import type { Announcement, CallSink, MediaOrder } from '../calls/ports.js';
import type { MediaStats } from '../calls/record.js';
import type { Clock } from '../clock/clock.js';
import type { Deadline } from '../clock/deadline.js';
import type { CallId, HandsetId } from '../policy/ids.js';
import type { Notice, OrderBody } from './control-protocol.js';
import type { TapPorts } from './copies/call-ears.js';
import {
  type HandsetAnswer,
  type Held,
  type Known,
  type MediaFault,
  MUTE,
  type Opened,
  type OpenHow,
} from './held-call.js';
import { type MediaDriver, measuredOf } from './media-driver.js';
import { PLAIN_RULES, type RulesOf, speechOf } from './media-rules.js';
import { type Leg, MediaSession } from './media-session.js';
import { OfferDesk } from './offer-desk.js';
import type { OwnSounds } from './own-sounds.js';
import { connectedBy, PlaneReports } from './plane-reports.js';
import { statsOf } from './quality.js';
import { type OrderFailed, RelayLink } from './relay-link.js';
import type { MediaNetworks, RelayPlaneOptions } from './relay-plane-options.js';
import {
  type Direction,
  deskFormats,
  type OurEnd,
  promptFormats,
  readTrunkAnswer,
  streamFormats,
  writeDeskAnswer,
  writeEchoAnswer,
  writePromptAnswer,
} from './sdp.js';

const KEYED = { event: 'as an event', 'in-speech': 'as a tone in the speech', 'in-info': 'in an INFO' } as const;

/** The media plane on our own relay: SDP here, packets in the relay's process. */
export class RelayPlane implements MediaDriver {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #networks: MediaNetworks;
  readonly #rulesOf: RulesOf;
  readonly #onAlarm: NonNullable<RelayPlaneOptions['onAlarm']>;
  readonly #onArmed: RelayPlaneOptions['onArmed'];
  readonly #onClosed: RelayPlaneOptions['onClosed'];
  readonly #onKey: NonNullable<RelayPlaneOptions['onKey']>;
  readonly #ownSounds: OwnSounds | undefined;
  readonly #offers: OfferDesk;
  readonly #reports: PlaneReports;
  readonly #held = new Map<CallId, Held>();
  #link: RelayLink | undefined;

  constructor(options: RelayPlaneOptions) {
    const { clock, log, sink, networks, rulesOf, onAlarm, onArmed, onClosed, onKey, ownSounds } = options;
    this.#ownSounds = ownSounds;
    this.#onArmed = onArmed;
    this.#onClosed = onClosed;
    this.#onKey = onKey ?? (() => undefined);
    this.#clock = clock;
    this.#log = log;
    this.#reports = new PlaneReports(log, sink);
    this.#networks = networks ?? { cell: [], carrier: [] };
    this.#offers = new OfferDesk(this.#networks.cell);
    this.#rulesOf = rulesOf ?? (() => PLAIN_RULES);
    this.#onAlarm = onAlarm ?? (() => undefined);
  }

  setSink(sink: CallSink): void {
    this.#reports.setSink(sink);
  }

  /** Who is to kill and respawn the relay's process when it was lost; called after the calls have heard of it. */
  onLost(lost: (why: string) => void): void {
    this.#reports.onLost(lost);
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
    this.#ownSounds?.forget();
  }

  /** Ends contact on purpose; the relay drops what it holds, and nobody is told. */
  detach(): void {
    this.#link?.close();
    this.#link = undefined;
  }

  /** Whether the site has a sound of its own by this name. */
  hasSound(language: string, piece: string): boolean {
    return this.#ownSounds?.has(language, piece) === true;
  }

  open(call: CallId, order: MediaOrder): void {
    for (const lesson of (order.announced && this.#ownSounds?.lessons(order.announced)) ?? []) void this.#order(lesson);
    const { handset, earlyMedia, digitsAllowed } = order;
    const rules = this.#rulesOf(handset, order.person);
    const { digitsMost, digitsInSpeech } = rules;
    const most = digitsMost === undefined ? {} : { digitsMost };
    const keys = order.keys === undefined ? {} : { keys: order.keys };
    const how = { earlyMedia, digitsAllowed, digitsInSpeech, ...most, ...keys };
    void this.#open(call, { handset, rules, order }, order.handsetOffer, how).then((opened) => {
      if (opened === undefined) return;
      if ('code' in opened) this.#reports.fail(call, opened.code, opened.why);
      else {
        const trunkOffer = order.desk === true ? '' : opened.session.offerAt(opened.trunkSide);
        this.#reports.tell(call, { type: 'media-opened', trunkOffer });
        if (order.ringsBack === true) this.#ringBack(call, opened);
      }
    });
  }

  /** A handset that cannot be rung back to hears nothing until the answer: no fault of its call. */
  #ringBack(call: CallId, { session, end }: Opened): void {
    const { offer } = session;
    void this.#order({ do: 'ring', call, toHandset: promptFormats(offer) }).then((ringing) => {
      if (ringing.event !== 'failed' && !session.closed)
        this.#reports.tell(call, { type: 'announcing', answer: writePromptAnswer(offer, end) });
    });
  }

  announce(call: CallId, handset: HandsetId, handsetOffer: string, announcement: Announcement): void {
    const rules = this.#rulesOf(handset, undefined);
    void this.#speak(call, { handset, rules }, handsetOffer, announcement).then((spoken) => {
      if (spoken === undefined) return;
      if ('code' in spoken) this.#reports.fail(call, spoken.code, spoken.why);
      else this.#reports.tell(call, { type: 'announcing', answer: spoken.answer });
    });
  }

  async #speak(
    call: CallId,
    known: Known,
    handsetOffer: string,
    announcement: Announcement,
  ): Promise<HandsetAnswer | undefined> {
    const opened = await this.#open(call, known, handsetOffer, MUTE);
    if (opened === undefined || 'code' in opened) return opened;
    const { session, end } = opened;
    const toHandset = promptFormats(session.offer);
    const playing = await this.#order({ do: 'announce', call, toHandset, ...announcement });
    if (session.closed) return undefined;
    return playing.event === 'failed' ? playing : { answer: writePromptAnswer(session.offer, end) };
  }

  /**
   * A test call of a handset's: it hears its own speech until `forMs` have passed, a minute at most. There is no trunk in it.
   * Settles with the SDP for the 200, or with a code and why not. The end is told as `deadline-passed`; `close` ends it sooner.
   */
  async echo(call: CallId, handset: HandsetId, handsetOffer: string, forMs: number): Promise<HandsetAnswer> {
    const opened = await this.#open(call, { handset, rules: this.#rulesOf(handset, undefined) }, handsetOffer, MUTE);
    if (opened === undefined) return { code: 'media.call-closed', why: 'closed while it was being opened' };
    if ('code' in opened) return opened;
    const { offer } = opened.session;
    const formats = { voice: offer.voice, eventsPass: false };
    const atNs = String(this.#clock.monotonicNs() + BigInt(Math.round(forMs)) * 1_000_000n);
    const echoing = await this.#order({ do: 'echo', call, formats, atNs });
    return echoing.event === 'failed' ? echoing : { answer: writeEchoAnswer(offer, opened.end) };
  }

  /** Undefined when it was closed in the meantime: the close has its own answer. */
  async #open(
    call: CallId,
    known: Known,
    handsetOffer: string,
    how: OpenHow,
  ): Promise<Opened | MediaFault | undefined> {
    const offer = this.#offers.read(handsetOffer, known.rules.codecs);
    if ('fault' in offer) return { code: offer.fault, why: offer.why };
    const { address, port, rtcpPort } = offer;
    const peer = { address, port, rtcpPort, networks: this.#networks.cell };
    const session = new MediaSession(offer, how.digitsAllowed !== '');
    this.#held.set(call, { ...known, session });
    const answer = await this.#order({ do: 'open', call, handset: peer, ...how });
    if (session.closed) return undefined;
    if (answer.event !== 'failed') {
      const end = session.handsetAt(answer.handsetSide);
      return { session, end, trunkSide: answer.trunkSide };
    }
    this.#held.delete(call);
    return answer;
  }

  connect(call: CallId, trunkSdp: string, final: boolean): void {
    const session = this.#held.get(call)?.session;
    if (session?.handsetEnd === undefined || this.#link === undefined) {
      this.#connectFailed(call, final, 'media.lost', 'no relay holds this call');
      return;
    }
    const { offer } = session;
    if (this.#held.get(call)?.order?.desk === true) {
      this.#attend(call, session, session.handsetEnd);
      return;
    }
    const answer = trunkSdp === '' && session.answer ? session.answer : readTrunkAnswer(trunkSdp, session.trunkOffer);
    if ('fault' in answer) {
      this.#connectFailed(call, final, answer.fault, answer.why);
      return;
    }
    const handsetAnswer = session.connected(answer);
    const { address, port, rtcpPort } = answer;
    const trunk = { address, port, rtcpPort, networks: this.#networks.carrier };
    void this.#link.order({ do: 'connect', call, trunk, ...streamFormats(offer, answer) }).then((done) => {
      if (done.event === 'failed') this.#connectFailed(call, final, done.code, done.why);
      else if (handsetAnswer !== undefined) this.#reports.tell(call, connectedBy(handsetAnswer, final));
    });
  }

  #attend(call: CallId, { offer }: MediaSession, end: OurEnd): void {
    const formats = deskFormats(offer);
    if (formats.voice.length === 0) {
      this.#connectFailed(call, true, 'media.no-codec', 'no codec in which the desk could be heard');
      return;
    }
    void this.#order({ do: 'attend', call, formats }).then((done) => {
      if (done.event === 'failed') this.#connectFailed(call, true, done.code, done.why);
      else this.#reports.tell(call, { type: 'media-connected', handsetAnswer: writeDeskAnswer(offer, end) });
    });
  }

  /** Speaks to a handset at the desk in place of what is being said, and rings back after it where `ring` says so. */
  say(call: CallId, { language, pieces }: Announcement, ring = false): void {
    this.#atDesk({ do: 'say', call, language, pieces, ring });
  }

  /** Ends what is being said at the desk. */
  hush(call: CallId): void {
    this.#atDesk({ do: 'hush', call });
  }

  /** The handset was in another call of its own, and is at the desk again. */
  backAtDesk(call: CallId): void {
    const offer = this.#held.get(call)?.session.offer;
    if (offer !== undefined) this.#atDesk({ do: 'attend', call, formats: deskFormats(offer) });
  }

  /** A handset at the desk that hears nothing is no fault of its call, and somebody must know. */
  #atDesk(body: Extract<OrderBody, { do: 'say' | 'hush' | 'attend' }>): void {
    const call = body.call as CallId;
    void this.#order(body).then((answer) => {
      if (answer.event !== 'failed' || !this.#held.has(call)) return;
      this.#log.warn({ event: 'media.desk-mute', call, code: answer.code, why: answer.why });
    });
  }

  /** A leg was put on hold, or taken off it, in its own words: what it does not want is not forwarded, and its silence is no fault. */
  hold(call: CallId, leg: Leg, direction: Direction): void {
    const held = this.#held.get(call)?.session.held(leg, direction);
    if (held !== undefined) void this.#order({ do: 'hold', call, ...held });
  }

  /** What a call carries so far; undefined for a call that the relay does not hold. */
  async measure(call: CallId): Promise<MediaStats | undefined> {
    const measured = await this.#order({ do: 'measure', call });
    if (measured.event === 'failed') return undefined;
    const stats = statsOf(measured.counters);
    return this.#held.get(call)?.session.counted(stats) ?? stats;
  }

  measureAll(): Promise<ReadonlyMap<CallId, MediaStats>> {
    return measuredOf(this, this.#held.keys());
  }

  keyed(call: CallId, key: string): void {
    const session = this.#held.get(call)?.session;
    if (session === undefined) return;
    const refused = (): void => {
      session.infoDigits++;
      this.#digitRefused(call, 'in-info');
    };
    if (key === '') refused();
    else void this.#order({ do: 'key', call, key }).then((answer) => answer.event === 'failed' && refused());
  }

  #digitRefused(call: CallId, kind: keyof typeof KEYED): void {
    const held = this.#held.get(call);
    // The relay tells once of those that it has judged; there are some that it never sees.
    if (kind === 'in-info' && held?.session.isToldOfInfo === true) return;
    if (kind === 'in-info' && held !== undefined) held.session.isToldOfInfo = true;
    this.#log.info({ event: 'media.digit-refused', call, kind });
    if (held?.rules.digitAlarm === true)
      this.#onAlarm('media.digits', `a digit was keyed ${KEYED[kind]} that may not pass`, held.handset);
  }

  arm(call: CallId, deadline: Deadline, warningsS: readonly number[]): void {
    const atNs = String(deadline.monotonicNs);
    const held = this.#held.get(call);
    const rules = held?.rules ?? PLAIN_RULES;
    const isDesk = held?.order?.desk === true;
    const silence = isDesk || rules.silenceAlarmS === 0 ? {} : { silenceMs: rules.silenceAlarmS * 1_000 };
    void this.#order({
      do: 'arm',
      call,
      atNs,
      warningsS,
      ...(isDesk ? {} : { speech: speechOf(rules, held?.order?.announced) }),
      ...silence,
    }).then((answer) => {
      if (answer.event !== 'failed') {
        this.#reports.tell(call, { type: 'armed', plane: 'media' });
        if (held?.order !== undefined && !isDesk && !held.session.closed) this.#onArmed?.(call, held.order);
      } else this.#reports.tell(call, { type: 'arm-failed', plane: 'media', why: `${answer.code}: ${answer.why}` });
    });
  }

  /** Begins a copy of both streams to ports of this machine, or ends it; false when the relay holds no such call. */
  async tap(call: CallId, tap: string, to?: TapPorts): Promise<boolean> {
    const tapped = await this.#order({ do: 'tap', call, tap, ...(to === undefined ? {} : { to }) });
    return tapped.event !== 'failed';
  }

  close(call: CallId): void {
    this.#onClosed?.(call);
    const held = this.#held.get(call);
    if (held) held.session.closed = true;
    this.#held.delete(call);
    void this.#order({ do: 'close', call }).then((answer) => {
      if (answer.event === 'closed') {
        const counted = answer.counters && statsOf(answer.counters);
        const stats = counted && (held?.session.counted(counted) ?? counted);
        this.#reports.tell(call, { type: 'released', plane: 'media', ...(stats ? { stats } : {}) });
      } else if (answer.code === 'media.timeout') this.#reports.tell(call, { type: 'release-timeout', plane: 'media' });
      // A relay that is gone forwards nothing.
      else this.#reports.tell(call, { type: 'released', plane: 'media' });
    });
  }

  #order: RelayLink['order'] = (body) => {
    const gone: OrderFailed = { event: 'failed', code: 'media.lost', why: 'there is no relay' };
    return this.#link?.order(body) ?? Promise.resolve(gone);
  };

  #notice(notice: Exclude<Notice, { event: 'beat' }>): void {
    const call = notice.call as CallId;
    if (notice.event === 'played') {
      this.#reports.tell(call, { type: 'announced' });
      return;
    }
    if (notice.event === 'key') {
      this.#onKey(call, notice.key);
      return;
    }
    if (notice.event === 'digit') {
      this.#digitRefused(call, notice.kind);
      return;
    }
    if (notice.event === 'silence') {
      const { side, silentMs } = notice;
      this.#log.warn({ event: 'media.silence', call, side, silentMs });
      const held = this.#held.get(call);
      const detail = `the ${side} of a call has sent no speech for ${Math.round(silentMs / 1_000)} s`;
      if (held !== undefined) this.#onAlarm('media.silence', detail, held.handset);
      return;
    }
    const { lateMs, lastForwardedMs } = notice;
    this.#log.info({ event: 'media.deadline', call, lateMs, lastForwardedMs });
    this.#reports.tell(call, { type: 'deadline-passed', by: 'media' });
  }

  #lost(why: string): void {
    this.#link = undefined;
    this.#held.clear();
    this.#reports.lost('media.relay-lost', why);
  }

  /** An early SDP that cannot be used is no end of the call: the answer may be better. */
  #connectFailed(call: CallId, final: boolean, code: string, why: string): void {
    if (final) this.#reports.fail(call, code, why);
    else this.#log.warn({ event: 'media.early-sdp-unusable', call, code, why });
  }
}
