/**
 * One line card, as a machine without I/O: it is given lines and the time, and says what to write and when it wants to be
 * asked again. What it wants of each line is a state, not a queue: an order that is out of date is never sent, nor sent
 * again.
 *
 * What it holds to: a lease is given to the card only while it stands, for no longer than is left of it, worked out anew
 * each time it is said; an OPEN waits for nothing; what is reported of a relay is what the card read back.
 */
import type { BoardHealth } from '../../config/schema/types.generated.js';
import type { LineReport } from '../agent.js';
import { earlierOf, MS, msBetween } from '../clock.js';
import type { LeaseKeeper } from '../lease-keeper.js';
import type { CardConfig } from './config.js';
import {
  ackLine,
  type LampColour,
  nakLine,
  nextSequence,
  type Order,
  orderLine,
  type Reading,
  readWord,
  type Word,
} from './message.js';

/** Beyond the time on the wire, an answer takes no longer than this, milliseconds; it is asked for so often again. */
const ANSWER_MS = 300;
const REPETITIONS = 3;
/** No valid line for this long, and the card is lost, milliseconds: it beats every second. */
const SILENCE_MS = 3_000;
/** Who does not answer is asked for this often, and who was refused, milliseconds. */
const ASK_MS = 500;
const REFUSED_MS = 2_000;
/** What the card does not say of a wired line is asked for again after this, milliseconds. */
const STATE_MS = 2_000;
/** A standing lease is said again when less than this is left of it at the card, milliseconds. */
const RENEW_MS = 3_000;
/** A lease of less is not worth its way, milliseconds. */
const SHORTEST_MS = 50;
const LONGEST_MS = 5_000;
/** What is said at once, milliseconds: with the way over the wire an agent that dies leaves nothing closed for 5 s. */
const LONGEST_SAID_MS = 4_000;
/** The relay is opened at its lease's end by the card; should it not, it is told to, so much later, milliseconds. */
const OVERDUE_MS = 100;

export interface CardEvents {
  line(handset: string, report: LineReport): void;
  key(handset: string, key: string): void;
  health(): void;
}

interface CardLine {
  readonly handset: string;
  readonly line: number;
  hook: LineReport['hook'];
  relay: LineReport['relay'];
  tamper: boolean;
  /** Until when the card may hold the relay closed, by what was said to it, acknowledged or not. */
  cardEndNs: bigint;
  /** The lease that the card has acknowledged. */
  obeyedNs: bigint;
  mustConfirm: boolean;
  lamp: { wanted: LampColour; shown: LampColour | undefined };
  text: { wanted: string; shown: string | undefined };
  reported: string;
}

interface Sent {
  readonly order: Order;
  readonly seq: number;
  readonly bytes: Buffer;
  tries: number;
  /** When it is said again, or given up. */
  atNs: bigint;
  readonly leases: ReadonlyMap<string, bigint>;
}

export class Card {
  readonly #config: CardConfig;
  readonly #leases: LeaseKeeper;
  readonly #events: CardEvents;
  readonly #onWireMs: (bytes: number) => number;
  readonly #lines: readonly CardLine[];
  readonly #errors = { crc: 0, timeout: 0, exception: 0, answer: 0, port: 0 };
  #phase: BoardHealth['state'] = 'starting';
  #why = 'not spoken to yet';
  #step: 'id' | 'open' | 'state' | 'wait' | 'use' = 'id';
  #seq = 0;
  #sent: Sent | undefined;
  /** The last number that the card used and we acknowledged. */
  #cardSeq: number | undefined;
  #heardNs = 0n;
  #askNs = 0n;
  #rttMs = 0;
  #words = 0;

  constructor(config: CardConfig, leases: LeaseKeeper, events: CardEvents, onWireMs: (bytes: number) => number) {
    this.#config = config;
    this.#leases = leases;
    this.#events = events;
    this.#onWireMs = onWireMs;
    this.#lines = config.lines.map(({ handset, line }) => ({
      handset,
      line,
      hook: 'unknown',
      relay: 'unknown',
      tamper: false,
      cardEndNs: 0n,
      obeyedNs: 0n,
      mustConfirm: false,
      lamp: { wanted: 'OFF', shown: undefined },
      text: { wanted: '', shown: undefined },
      reported: '',
    }));
  }

  /** Nothing of this card is known to be connected, nor may be: it said so itself, or it is beyond our reach. */
  get isOpen(): boolean {
    return this.#phase !== 'ok' || this.#lines.every(({ relay, mustConfirm }) => relay !== 'connected' && !mustConfirm);
  }

  /** The line to the card is there, or there again. */
  portOpen(nowNs: bigint): void {
    this.#begin(nowNs);
  }

  portLost(why: string): void {
    this.#errors.port += 1;
    this.#lost(why);
  }

  /** What to write now, or undefined. Called until it has nothing more to say. */
  next(nowNs: bigint): Buffer | undefined {
    this.#passTime(nowNs);
    const urgent = this.#mustOpen(nowNs);
    // It overtakes anything but another of its kind: those come one after the other, or all in one.
    if (urgent !== undefined && this.#sent?.order.verb !== 'OPEN') return this.#say(urgent, nowNs);
    if (this.#sent !== undefined) {
      if (nowNs < this.#sent.atNs) return undefined;
      return this.#again(this.#sent, nowNs);
    }
    const order = this.#wanted(nowNs);
    return order === undefined ? undefined : this.#say(order, nowNs);
  }

  /** When `next` is to be called again at the latest. */
  nextNs(nowNs: bigint): bigint {
    const instants = [nowNs + 1_000n * MS];
    if (this.#sent !== undefined) instants.push(this.#sent.atNs);
    else if (this.#step === 'id') instants.push(this.#askNs);
    if (this.#phase === 'ok') instants.push(this.#heardNs + BigInt(SILENCE_MS) * MS);
    for (const line of this.#lines) {
      if (this.#phase !== 'ok') break;
      if (line.cardEndNs > 0n) {
        instants.push(line.cardEndNs - BigInt(RENEW_MS) * MS, line.cardEndNs + BigInt(OVERDUE_MS) * MS);
      }
    }
    const ahead = instants.filter((one) => one > nowNs);
    return ahead.reduce(earlierOf);
  }

  /** Takes a line that came; gives what to write in answer at once. */
  heard(text: string, nowNs: bigint): Buffer | undefined {
    const reading: Reading = readWord(text);
    if (reading.is === 'noise') {
      this.#errors.crc += 1;
      return undefined;
    }
    this.#heardNs = nowNs;
    if (reading.is === 'unknown') {
      this.#errors.answer += 1;
      return reading.seq === undefined ? undefined : nakLine(reading.seq, reading.why);
    }
    const { word } = reading;
    this.#words += 1;
    switch (word.verb) {
      case 'BEAT':
        return undefined;
      case 'ACK':
      case 'NAK':
        this.#answered(word, nowNs);
        return undefined;
      case 'ID':
        this.#cardSeq = word.seq;
        this.#identified(word, nowNs);
        return ackLine(word.seq);
      default:
        // Said again because our answer was lost: acknowledged again, and obeyed once.
        if (word.seq !== this.#cardSeq) this.#told(word);
        this.#cardSeq = word.seq;
        return ackLine(word.seq);
    }
  }

  /** Reads this line's relay back, and reports it whatever comes of it. */
  confirm(handset: string): void {
    const line = this.#lines.find((one) => one.handset === handset);
    if (line !== undefined) line.mustConfirm = true;
  }

  show(handset: string, lamp: LampColour | undefined, text: string | undefined): void {
    const line = this.#lines.find((one) => one.handset === handset);
    if (line === undefined) return;
    if (lamp !== undefined) line.lamp.wanted = lamp;
    if (text !== undefined) line.text.wanted = text;
  }

  reports(): [string, LineReport][] {
    return this.#lines.map((line) => [line.handset, this.#report(line)]);
  }

  health(): BoardHealth {
    return {
      board: this.#config.id,
      state: this.#phase,
      ...(this.#phase === 'ok' ? {} : { why: this.#why }),
      rttMs: Math.round(this.#rttMs * 100) / 100,
      polls: this.#words,
      errors: { ...this.#errors },
      // The lease itself is the watchdog: the card has no standing "on".
      watchdog: this.#phase === 'ok' ? 'armed' : 'unknown',
    };
  }

  /** The line whose relay may be closed, or is, and whose lease does not stand; all in one where none stands. */
  #mustOpen(nowNs: bigint): Order | undefined {
    if (this.#phase !== 'ok') return undefined;
    const unleased = this.#lines.filter(({ handset }) => !this.#leases.connected(handset, nowNs));
    const toOpen = unleased.filter((line) => {
      // A lease that has just run out at the card opens it by itself.
      const isOverdue = line.relay === 'connected' && nowNs >= line.cardEndNs + BigInt(OVERDUE_MS) * MS;
      return nowNs < line.cardEndNs || isOverdue || line.mustConfirm;
    });
    const [first, second] = toOpen;
    if (first === undefined) return undefined;
    const isAll = second !== undefined && unleased.length === this.#lines.length;
    return { verb: 'OPEN', line: isAll ? 'ALL' : first.line };
  }

  #wanted(nowNs: bigint): Order | undefined {
    switch (this.#step) {
      case 'id':
        return nowNs >= this.#askNs ? { verb: 'ID?' } : undefined;
      case 'open':
        return { verb: 'OPEN', line: 'ALL' };
      case 'state':
        return { verb: 'STATE?' };
      case 'wait':
        return nowNs >= this.#askNs ? { verb: 'STATE?' } : undefined;
      case 'use':
        return this.#lease(nowNs) ?? this.#display();
    }
  }

  #lease(nowNs: bigint): Order | undefined {
    for (const line of this.#lines) {
      const endNs = this.#leases.endNs(line.handset);
      const leftMs = Math.floor(msBetween(nowNs, endNs));
      if (leftMs < SHORTEST_MS) continue;
      const isRenewed = line.obeyedNs !== this.#leases.lastNs(line.handset) && endNs > line.cardEndNs;
      const isDue = msBetween(nowNs, line.cardEndNs) < RENEW_MS && isRenewed;
      const isShorter = line.cardEndNs > endNs + BigInt(ANSWER_MS + 1) * MS;
      if (isDue || isShorter || line.mustConfirm) {
        return { verb: 'LEASE', line: line.line, forMs: Math.min(leftMs, LONGEST_SAID_MS) };
      }
    }
    return undefined;
  }

  #display(): Order | undefined {
    for (const { line, lamp, text } of this.#lines) {
      if (lamp.wanted !== lamp.shown) return { verb: 'LAMP', line, colour: lamp.wanted };
      if (text.wanted !== text.shown) return { verb: 'TEXT', line, text: text.wanted };
    }
    return undefined;
  }

  #say(order: Order, nowNs: bigint): Buffer {
    this.#seq = nextSequence(this.#seq);
    const bytes = orderLine(order, this.#seq);
    const leases = new Map(this.#lines.map(({ handset }) => [handset, this.#leases.lastNs(handset)]));
    this.#sent = { order, seq: this.#seq, bytes, tries: 1, atNs: this.#lateNs(bytes, nowNs), leases };
    if (order.verb === 'ID?') this.#askNs = nowNs + BigInt(ASK_MS) * MS;
    this.#note(order, nowNs);
    return bytes;
  }

  /** From the moment it is said, the card may hold the relay for as long as it was told. */
  #note(order: Order, nowNs: bigint): void {
    if (order.verb !== 'LEASE') return;
    const line = this.#lineAt(order.line);
    // Later by its way over the wire: what is worked out here must never be earlier than what the card does.
    if (line !== undefined) line.cardEndNs = nowNs + BigInt(order.forMs + ANSWER_MS) * MS;
  }

  #lateNs(bytes: Buffer, nowNs: bigint): bigint {
    return nowNs + BigInt(Math.ceil(this.#onWireMs(bytes.length + 16)) + ANSWER_MS) * MS;
  }

  /** Nobody answered: the same again, or, if it is out of date, what is right now; after three times the card is lost. */
  #again(sent: Sent, nowNs: bigint): Buffer | undefined {
    this.#errors.timeout += 1;
    if (sent.tries > REPETITIONS) {
      this.#lost(`timeout: no answer to ${sent.order.verb} after ${REPETITIONS} repetitions`, nowNs);
      return undefined;
    }
    let { order, bytes } = sent;
    if (order.verb === 'LEASE') {
      const line = this.#lineAt(order.line);
      const leftMs = line === undefined ? 0 : Math.floor(msBetween(nowNs, this.#leases.endNs(line.handset)));
      if (leftMs < SHORTEST_MS) {
        this.#sent = undefined;
        return this.next(nowNs);
      }
      order = { ...order, forMs: Math.min(leftMs, LONGEST_SAID_MS) };
      bytes = orderLine(order, sent.seq);
      this.#note(order, nowNs);
    }
    this.#sent = { ...sent, order, bytes, tries: sent.tries + 1, atNs: this.#lateNs(bytes, nowNs) };
    return bytes;
  }

  #answered(word: Extract<Word, { verb: 'ACK' | 'NAK' }>, nowNs: bigint): void {
    const sent = this.#sent;
    if (sent === undefined || sent.seq !== word.seq) {
      this.#errors.answer += 1;
      return;
    }
    this.#sent = undefined;
    if (word.verb === 'NAK') {
      this.#errors.exception += 1;
      if (this.#step === 'use') this.#done(sent, nowNs, false);
      else this.#lost(`the card refuses ${sent.order.verb}: ${word.why}`, nowNs);
      return;
    }
    if (sent.tries === 1) {
      const tookMs = Math.max(
        0,
        msBetween(sent.atNs, nowNs) + ANSWER_MS + Math.ceil(this.#onWireMs(sent.bytes.length + 16)),
      );
      this.#rttMs = this.#rttMs === 0 ? tookMs : this.#rttMs * 0.9 + tookMs * 0.1;
    }
    this.#done(sent, nowNs, true);
  }

  #done({ order, leases }: Sent, nowNs: bigint, obeyed: boolean): void {
    switch (order.verb) {
      case 'ID?':
        // The card's own ID says the rest.
        this.#askNs = nowNs + BigInt(ASK_MS) * MS;
        break;
      case 'STATE?':
        if (this.#step === 'state') this.#step = 'wait';
        this.#askNs = nowNs + BigInt(STATE_MS) * MS;
        break;
      case 'OPEN':
        if (order.line === 'ALL' && this.#step === 'open') this.#step = 'state';
        for (const line of this.#lines) {
          if (order.line !== 'ALL' && order.line !== line.line) continue;
          line.cardEndNs = nowNs;
          this.#obeyed(line, leases, obeyed);
        }
        break;
      case 'LEASE': {
        const line = this.#lineAt(order.line);
        if (line !== undefined) this.#obeyed(line, leases, obeyed);
        break;
      }
      case 'LAMP': {
        const line = this.#lineAt(order.line);
        if (line !== undefined) line.lamp.shown = order.colour;
        break;
      }
      case 'TEXT': {
        const line = this.#lineAt(order.line);
        if (line !== undefined) line.text.shown = order.text;
        break;
      }
    }
  }

  #obeyed(line: CardLine, leases: ReadonlyMap<string, bigint>, obeyed: boolean): void {
    if (obeyed) line.obeyedNs = leases.get(line.handset) ?? 0n;
    if (!line.mustConfirm) return;
    line.mustConfirm = false;
    line.reported = '';
    this.#tell(line);
  }

  #identified(word: Extract<Word, { verb: 'ID' }>, nowNs: bigint): void {
    const { model, lines } = this.#config;
    const highest = Math.max(-1, ...lines.map(({ line }) => line));
    const why =
      word.model !== model
        ? `it is a ${word.model} and not a ${model}: another card`
        : word.lines <= highest
          ? `it has ${word.lines} lines, and line ${highest} is wired`
          : word.longestMs > LONGEST_MS
            ? `it takes leases of ${word.longestMs} ms; ${LONGEST_MS} ms is the longest that may be`
            : undefined;
    this.#forget();
    if (why === undefined) {
      this.#step = 'open';
      if (this.#phase === 'ok') this.#lost('the card has started anew', nowNs, 'open');
      return;
    }
    this.#phase = 'refused';
    this.#why = why;
    this.#step = 'id';
    this.#askNs = nowNs + BigInt(REFUSED_MS) * MS;
    this.#tellAll();
    this.#events.health();
  }

  #told(word: Exclude<Word, { verb: 'BEAT' | 'ACK' | 'NAK' | 'ID' }>): void {
    const line = this.#lineAt(word.line);
    if (line === undefined) return;
    switch (word.verb) {
      case 'HOOK':
        line.hook = word.off ? 'off' : 'on';
        break;
      case 'RELAY':
        line.relay = word.closed ? 'connected' : 'open';
        break;
      case 'TAMPER':
        line.tamper = word.open;
        break;
      case 'KEY':
        if (this.#phase === 'ok') this.#events.key(line.handset, word.key);
        return;
    }
    const isWhole = this.#lines.every(({ hook, relay }) => hook !== 'unknown' && relay !== 'unknown');
    if (this.#step === 'wait' && isWhole) {
      this.#step = 'use';
      this.#phase = 'ok';
      this.#tellAll();
      this.#events.health();
    } else if (this.#phase === 'ok') this.#tell(line);
  }

  #passTime(nowNs: bigint): void {
    const isSilent = msBetween(this.#heardNs, nowNs) >= SILENCE_MS;
    if (isSilent && (this.#phase === 'ok' || this.#step !== 'id')) {
      this.#lost(`timeout: nothing heard for ${SILENCE_MS / 1_000} s`, nowNs);
    }
  }

  #begin(nowNs: bigint): void {
    this.#forget();
    this.#step = 'id';
    this.#askNs = nowNs;
    this.#heardNs = nowNs;
  }

  /** What the card was told and has said counts no more. */
  #forget(): void {
    this.#sent = undefined;
    for (const line of this.#lines) {
      line.hook = 'unknown';
      line.relay = 'unknown';
      line.lamp.shown = undefined;
      line.text.shown = undefined;
      line.obeyedNs = 0n;
      line.cardEndNs = 0n;
    }
  }

  #lost(why: string, nowNs = 0n, step: 'id' | 'open' = 'id'): void {
    const isNew = this.#phase === 'ok' || this.#why !== why || this.#phase === 'starting';
    this.#forget();
    this.#cardSeq = step === 'open' ? this.#cardSeq : undefined;
    this.#phase = 'lost';
    this.#why = why;
    this.#step = step;
    this.#askNs = nowNs + BigInt(ASK_MS) * MS;
    this.#tellAll();
    if (isNew) this.#events.health();
  }

  #lineAt(number: number): CardLine | undefined {
    return this.#lines.find(({ line }) => line === number);
  }

  #report(line: CardLine): LineReport {
    const { hook, relay, tamper, obeyedNs: leaseNs } = line;
    if (this.#phase !== 'ok') return { hook: 'unknown', relay: 'unknown', tamper, leaseNs };
    return { hook, relay, tamper, leaseNs };
  }

  #tell(line: CardLine): void {
    const report = this.#report(line);
    const said = `${report.hook} ${report.relay} ${report.tamper}`;
    if (line.reported === said) return;
    line.reported = said;
    this.#events.line(line.handset, report);
  }

  #tellAll(): void {
    for (const line of this.#lines) this.#tell(line);
  }
}
