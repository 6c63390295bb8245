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
import { CardLine, OVERDUE_MS, RENEW_MS } from './card-line.js';
import { CardTalk, REPETITIONS, type Said } from './card-talk.js';
import type { CardConfig } from './config.js';
import { ackLine, type LampColour, nakLine, type Order, type Reading, readWord, type Word } from './message.js';

/** No valid line for this long, and the card is lost, milliseconds: it beats every second. */
const SILENCE_MS = 3_000;
/** Who does not answer is asked for this often, and who was refused, milliseconds. */
const ASK_MS = 500;
const REFUSED_MS = 2_000;
/** What the card does not say of a wired line is asked for again after this, milliseconds. */
const STATE_MS = 2_000;
/** A card that takes longer leases than this is refused, milliseconds. */
const LONGEST_MS = 5_000;

export interface CardEvents {
  line(handset: string, report: LineReport): void;
  key(handset: string, key: string): void;
  health(): void;
}

export class Card {
  readonly #config: CardConfig;
  readonly #leases: LeaseKeeper;
  readonly #events: CardEvents;
  readonly #lines: readonly CardLine[];
  readonly #errors = { crc: 0, timeout: 0, exception: 0, answer: 0, port: 0 };
  #phase: BoardHealth['state'] = 'starting';
  #why = 'not spoken to yet';
  #step: 'id' | 'open' | 'state' | 'wait' | 'use' = 'id';
  readonly #talk: CardTalk;
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
    this.#talk = new CardTalk(onWireMs);
    this.#lines = config.lines.map(({ handset, line }) => new CardLine(handset, line, leases));
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
    const { said } = this.#talk;
    if (urgent !== undefined && said?.order.verb !== 'OPEN') return this.#say(urgent, nowNs);
    if (said !== undefined) return nowNs < said.lateNs ? undefined : this.#again(said, nowNs);
    const order = this.#wanted(nowNs);
    return order === undefined ? undefined : this.#say(order, nowNs);
  }

  /** When `next` is to be called again at the latest. */
  nextNs(nowNs: bigint): bigint {
    const instants = [nowNs + 1_000n * MS];
    const { said } = this.#talk;
    if (said !== undefined) instants.push(said.lateNs);
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
    return this.#lines.map((line) => [line.handset, line.report(this.#phase === 'ok')]);
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

  /** The line that must open; all in one where none is leased. */
  #mustOpen(nowNs: bigint): Order | undefined {
    if (this.#phase !== 'ok') return undefined;
    const [first, second] = this.#lines.filter((line) => line.mustOpen(nowNs));
    if (first === undefined) return undefined;
    const isAll = second !== undefined && this.#lines.every((line) => !line.isLeased(nowNs));
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
        return first(this.#lines, (line) => line.lease(nowNs)) ?? first(this.#lines, (line) => line.display());
    }
  }

  #say(order: Order, nowNs: bigint): Buffer {
    const leases = new Map(this.#lines.map(({ handset }) => [handset, this.#leases.lastNs(handset)]));
    if (order.verb === 'ID?') this.#askNs = nowNs + BigInt(ASK_MS) * MS;
    if (order.verb === 'LEASE') this.#lineAt(order.line)?.leaseSaid(order.forMs, nowNs);
    return this.#talk.say(order, nowNs, leases);
  }

  /** Nobody answered: the same again, or, if it is out of date, what is right now; after three times the card is lost. */
  #again(said: Said, nowNs: bigint): Buffer | undefined {
    this.#errors.timeout += 1;
    if (said.tries > REPETITIONS) {
      this.#lost(`timeout: no answer to ${said.order.verb} after ${REPETITIONS} repetitions`, nowNs);
      return undefined;
    }
    if (said.order.verb !== 'LEASE') return this.#talk.again(said, said.order, nowNs);
    const line = this.#lineAt(said.order.line);
    const order = line?.leaseFor(nowNs);
    if (order?.verb !== 'LEASE') {
      this.#talk.drop();
      return this.next(nowNs);
    }
    line?.leaseSaid(order.forMs, nowNs);
    return this.#talk.again(said, order, nowNs);
  }

  #answered(word: Extract<Word, { verb: 'ACK' | 'NAK' }>, nowNs: bigint): void {
    const said = this.#talk.answered(word.seq, nowNs);
    if (said === undefined) {
      this.#errors.answer += 1;
      return;
    }
    if (word.verb === 'NAK') {
      this.#errors.exception += 1;
      if (this.#step === 'use') this.#done(said, nowNs, false);
      else this.#lost(`the card refuses ${said.order.verb}: ${word.why}`, nowNs);
      return;
    }
    this.#rttMs = this.#rttMs === 0 ? said.tookMs : this.#rttMs * 0.9 + said.tookMs * 0.1;
    this.#done(said, nowNs, true);
  }

  #done({ order, leases }: Said, nowNs: bigint, obeyed: boolean): void {
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
    const isWhole = this.#lines.every(({ isKnown }) => isKnown);
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
    this.#talk.drop();
    for (const line of this.#lines) line.forget();
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

  #tell(line: CardLine): void {
    const report = line.report(this.#phase === 'ok');
    const said = `${report.hook} ${report.relay} ${report.tamper}`;
    if (line.reported === said) return;
    line.reported = said;
    this.#events.line(line.handset, report);
  }

  #tellAll(): void {
    for (const line of this.#lines) this.#tell(line);
  }
}

/** The first that any of the lines gives. */
function first(lines: readonly CardLine[], of: (line: CardLine) => Order | undefined): Order | undefined {
  for (const line of lines) {
    const order = of(line);
    if (order !== undefined) return order;
  }
  return undefined;
}
