/**
 * A simulated line card: the card's side of device-agents/line-card/README.md. It shares no code with the agent that speaks
 * to it, so that a mistake of the one is no mistake of both; and it can misbehave on purpose.
 *
 * As a program, `node dist/scripts/simulators/line-card.js` makes a pty, prints its path, and obeys lines of standard
 * input: `hook 7 off`, `key 7 5`, `tamper 7 open`, `restart`, and the misbehaviour that `HELP` lists.
 */
import { createInterface } from 'node:readline';
import { Duplex } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { SerialWire } from './serial-wire.js';

export interface LineCardOptions {
  readonly model?: string;
  readonly lines?: number;
  readonly longestMs?: number;
}

interface CardLine {
  off: boolean;
  closed: boolean;
  tamper: boolean;
  /** A relay whose contact is welded: it never opens, and says so. */
  welded: boolean;
  lamp: string;
  text: string;
  lease: NodeJS.Timeout | undefined;
}

/** What was said and waits for its answer. */
interface Waiting {
  readonly text: string;
  readonly seq: string;
  tries: number;
  timer?: NodeJS.Timeout;
}

const ANSWER_MS = 300;
const BEAT_MS = 1_000;
const REPETITIONS = 3;

/** Bit by bit, and not by table: the agent's is by table. */
function checkSum(text: string): string {
  let crc = 0xffff;
  for (const byte of Buffer.from(text, 'latin1')) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc.toString(16).toUpperCase().padStart(4, '0');
}

export class SimulatedLineCard {
  /** What the agent's end of the line is joined to. */
  readonly stream: Duplex;
  readonly lines: readonly CardLine[];
  /** Each order that was obeyed, as it came, e.g. `LEASE 07 5000`. */
  readonly obeyed: string[] = [];
  /** Each change of a relay: its line, whether it is closed, and who did it. */
  onRelay: (line: number, closed: boolean, by: 'order' | 'lease-end' | 'restart') => void = () => undefined;
  readonly #options: Required<LineCardOptions>;
  readonly #queue: string[] = [];
  #waiting: Waiting | undefined;
  #seq = 0;
  #agentSeq = '';
  #came = '';
  #beat: NodeJS.Timeout;
  #deaf = false;
  #mute = false;
  #noise = 0;
  #noAck = 0;
  #twice = 0;

  constructor({ model = 'LC32', lines = 32, longestMs = 5_000 }: LineCardOptions = {}) {
    this.#options = { model, lines, longestMs };
    this.lines = Array.from({ length: lines }, () => ({
      off: false,
      closed: false,
      tamper: false,
      welded: false,
      lamp: '',
      text: '',
      lease: undefined,
    }));
    this.stream = new Duplex({
      read: () => undefined,
      write: (bytes: Buffer, _encoding, done) => {
        this.#bytes(bytes.toString('latin1'));
        done();
      },
    });
    this.#beat = setInterval(() => this.#write('<BEAT'), BEAT_MS);
    this.#identify();
  }

  hook(line: number, off: boolean): void {
    this.#at(line).off = off;
    this.#say(`HOOK ${pad(line)} ${off ? 'OFF' : 'ON'}`);
  }

  key(line: number, key: string): void {
    this.#say(`KEY ${pad(line)} ${key}`);
  }

  tamper(line: number, open: boolean): void {
    this.#at(line).tamper = open;
    this.#say(`TAMPER ${pad(line)}${open ? '' : ' CLOSED'}`);
  }

  relay(line: number): boolean {
    return this.#at(line).closed;
  }

  /** Power off and on. */
  restart(): void {
    for (const [line, one] of this.lines.entries()) {
      clearTimeout(one.lease);
      this.#set(line, false, 'restart', true);
      Object.assign(one, { lamp: '', text: '' });
    }
    clearTimeout(this.#waiting?.timer);
    this.#waiting = undefined;
    this.#queue.length = 0;
    this.#seq = 0;
    this.#agentSeq = '';
    this.#identify();
  }

  /** Hears nothing any more, and beats on. */
  deaf(on: boolean): void {
    this.#deaf = on;
  }

  /** Says nothing any more, and obeys on. */
  mute(on: boolean): void {
    this.#mute = on;
  }

  /** The next `count` lines have a wrong CRC. */
  noise(count: number): void {
    this.#noise = count;
  }

  /** The next `count` orders are obeyed and not acknowledged. */
  noAck(count: number): void {
    this.#noAck = count;
  }

  /** The next `count` lines are said twice, as by a card that missed the answer. */
  twice(count: number): void {
    this.#twice = count;
  }

  /** Whatever is given comes over the line as it is. */
  garbage(text: string): void {
    this.stream.push(Buffer.from(text, 'latin1'));
  }

  /** The contact of this line's relay does not open any more. */
  weld(line: number, on: boolean): void {
    this.#at(line).welded = on;
  }

  close(): void {
    clearInterval(this.#beat);
    clearTimeout(this.#waiting?.timer);
    for (const { lease } of this.lines) clearTimeout(lease);
    this.stream.destroy();
  }

  #at(line: number): CardLine {
    const one = this.lines[line];
    if (one === undefined) throw new Error(`the card has no line ${line}`);
    return one;
  }

  #identify(): void {
    const { model, lines, longestMs } = this.#options;
    this.#say(`ID ${model} ${lines} ${longestMs}`);
  }

  #bytes(text: string): void {
    this.#came += text;
    for (let end = this.#came.indexOf('\n'); end !== -1; end = this.#came.indexOf('\n')) {
      const line = this.#came.slice(0, end).replace('\r', '');
      this.#came = this.#came.slice(end + 1);
      if (!this.#deaf) this.#line(line);
    }
  }

  #line(line: string): void {
    const star = line.lastIndexOf('*');
    const body = line.slice(0, Math.max(star, 0));
    if (star < 1 || checkSum(body) !== line.slice(star + 1)) return;
    const [, answer, answered] = /^>(ACK|NAK) #([0-9]{2})/.exec(body) ?? [];
    if (answer !== undefined) {
      if (this.#waiting?.seq !== answered) return;
      clearTimeout(this.#waiting?.timer);
      this.#waiting = undefined;
      this.#sayNext();
      return;
    }
    const [, order = '', seq = ''] = /^>(.*) #([0-9]{2})$/.exec(body) ?? [];
    if (seq === '') return;
    const why = seq === this.#agentSeq ? undefined : this.#obey(order);
    if (why === undefined) this.#agentSeq = seq;
    if (this.#noAck > 0) this.#noAck -= 1;
    else this.#write(why === undefined ? `<ACK #${seq}` : `<NAK #${seq} ${why}`);
    if (why === undefined && order === 'ID?') this.#identify();
  }

  /** Obeys an order; gives why not, when it cannot. */
  #obey(order: string): string | undefined {
    const [verb = '', which = '', value = ''] = order.split(' ');
    if (order === 'ID?') return undefined;
    if (order === 'STATE?') {
      this.#tellAll();
      return undefined;
    }
    const targets = verb === 'OPEN' && which === 'ALL' ? [...this.lines.keys()] : [Number(which)];
    if (which !== 'ALL' && !/^[0-9]{2}$/.test(which)) return 'no line';
    for (const line of targets) {
      const one = this.lines[line];
      if (one === undefined) return 'no such line';
      switch (verb) {
        case 'LEASE': {
          const ms = Number(value);
          if (!Number.isInteger(ms) || ms < 1 || ms > this.#options.longestMs) return 'no such lease';
          clearTimeout(one.lease);
          one.lease = setTimeout(() => this.#set(line, false, 'lease-end'), ms);
          this.#set(line, true, 'order');
          break;
        }
        case 'OPEN':
          clearTimeout(one.lease);
          this.#set(line, false, 'order');
          break;
        case 'LAMP':
          one.lamp = value;
          break;
        case 'TEXT':
          one.text = /^TEXT [0-9]{2} "(.*)"$/.exec(order)?.[1] ?? '';
          break;
        default:
          return 'not understood';
      }
    }
    this.obeyed.push(order);
    return undefined;
  }

  #tellAll(): void {
    for (const [line, { off, closed, tamper }] of this.lines.entries()) {
      this.#say(`HOOK ${pad(line)} ${off ? 'OFF' : 'ON'}`);
      this.#say(`RELAY ${pad(line)} ${closed ? 'CLOSED' : 'OPEN'}`);
      if (tamper) this.#say(`TAMPER ${pad(line)}`);
    }
  }

  #set(line: number, closed: boolean, by: 'order' | 'lease-end' | 'restart', silently = false): void {
    const one = this.#at(line);
    if (one.closed === closed || (one.welded && !closed)) return;
    one.closed = closed;
    this.onRelay(line, closed, by);
    if (!silently) this.#say(`RELAY ${pad(line)} ${closed ? 'CLOSED' : 'OPEN'}`);
  }

  #say(text: string): void {
    this.#queue.push(text);
    if (this.#waiting === undefined) this.#sayNext();
  }

  #sayNext(): void {
    const text = this.#queue.shift();
    if (text === undefined) return;
    this.#seq = (this.#seq + 1) % 100;
    const waiting: Waiting = { text, seq: pad(this.#seq), tries: 0 };
    this.#waiting = waiting;
    const send = () => {
      if (waiting.tries > REPETITIONS) {
        // The agent is lost to the card; it asks for everything when it is back.
        this.#waiting = undefined;
        this.#queue.length = 0;
        return;
      }
      waiting.tries += 1;
      this.#write(`<${text} #${waiting.seq}`);
      waiting.timer = setTimeout(send, ANSWER_MS);
    };
    send();
  }

  #write(body: string): void {
    if (this.#mute || this.stream.destroyed) return;
    let sum = checkSum(body);
    if (this.#noise > 0) {
      this.#noise -= 1;
      sum = sum === '0000' ? '0001' : '0000';
    }
    this.stream.push(Buffer.from(`${body}*${sum}\r\n`, 'latin1'));
    if (this.#twice === 0 || body === '<BEAT') return;
    this.#twice -= 1;
    this.stream.push(Buffer.from(`${body}*${sum}\r\n`, 'latin1'));
  }
}

const pad = (value: number) => String(value).padStart(2, '0');

const HELP = `hook <line> off|on     tamper <line> open|closed     key <line> <key>     restart
deaf on|off            mute on|off                   weld <line> on|off
noise <count>          no-ack <count>                twice <count>        garbage <text>
`;

function obey(card: SimulatedLineCard, command: string): string | undefined {
  const [verb, first = '', second = ''] = command.trim().split(/\s+/);
  switch (verb) {
    case '':
      return undefined;
    case 'hook':
      card.hook(Number(first), second === 'off');
      return undefined;
    case 'tamper':
      card.tamper(Number(first), second !== 'closed');
      return undefined;
    case 'key':
      card.key(Number(first), second);
      return undefined;
    case 'restart':
      card.restart();
      return undefined;
    case 'deaf':
      card.deaf(first === 'on');
      return undefined;
    case 'mute':
      card.mute(first === 'on');
      return undefined;
    case 'weld':
      card.weld(Number(first), second === 'on');
      return undefined;
    case 'noise':
      card.noise(Number(first));
      return undefined;
    case 'no-ack':
      card.noAck(Number(first));
      return undefined;
    case 'twice':
      card.twice(Number(first));
      return undefined;
    case 'garbage':
      card.garbage(`${command.trim().slice('garbage '.length)}\r\n`);
      return undefined;
    default:
      return HELP;
  }
}

async function main(): Promise<void> {
  const card = new SimulatedLineCard();
  const wire = new SerialWire();
  await wire.start(card.stream);
  process.stdout.write(`${wire.path}\n`);
  card.onRelay = (line, closed, by) => process.stdout.write(`relay ${line} ${closed ? 'closed' : 'open'} (${by})\n`);
  for await (const command of createInterface({ input: process.stdin })) {
    const help = obey(card, command);
    if (help !== undefined) process.stdout.write(help);
  }
  card.close();
  await wire.close();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
