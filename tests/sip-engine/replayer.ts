import { connect, type Socket } from 'node:net';
import { FrameReader } from '../../gateway/sip-engine/client/frame-reader.js';
import type { Engine } from '../../gateway/sip-engine/engine.js';
import type { Frame } from './recording.js';
import { headerOf, UdpPeer } from './udp-peer.js';

/** The port on which the recorded server spoke SIP. */
const RECORDED_PORT = 5060;
const WITHIN_MS = 8_000;

/** A difference between what the recorded server said and what the engine said, both in the recording's words. */
export interface Difference {
  readonly recorded: string;
  readonly live: string;
}

/**
 * Plays the application's and the network's part of a recorded conversation to an engine, and compares what the engine says
 * to the application with what the recorded server said. Ids, tags, branches, times, byte counts and port numbers are the
 * engine's own; each is bound to the recorded one when it first appears and must agree from then on. The rest is compared
 * byte for byte.
 */
export class Replayer {
  readonly differences: Difference[] = [];
  /** Recorded text → live text, longest first when applied. */
  readonly #bound = new Map<string, string>();
  readonly #peers = new Map<number, UdpPeer>();
  readonly #live: string[] = [];
  #wake: (() => void) | undefined;

  private constructor(
    readonly engine: Engine,
    readonly enginePort: number,
    readonly socket: Socket,
  ) {
    const reader = new FrameReader(1_000_000);
    socket.on('data', (chunk: Buffer) => {
      reader.take(chunk, (payload) => this.#live.push(payload));
      this.#wake?.();
    });
  }

  static async connect(engine: Engine): Promise<Replayer> {
    const socket = connect(engine.client.port, '127.0.0.1');
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    return new Replayer(engine, engine.listeners[0]?.port ?? 0, socket);
  }

  /** The peer that stands for a recorded port. */
  async peer(recordedPort: number): Promise<UdpPeer> {
    let peer = this.#peers.get(recordedPort);
    if (peer === undefined) {
      peer = await UdpPeer.open();
      this.#peers.set(recordedPort, peer);
      this.#bindPort(recordedPort, peer.port);
    }
    return peer;
  }

  /** Opens peers for all ports that messages went to; those in `closed` are given a port where nobody listens. */
  async prepare(frames: readonly Frame[], closed: readonly number[] = []): Promise<void> {
    this.#bindPort(RECORDED_PORT, this.enginePort);
    const ports = new Set(
      frames.flatMap((frame) => [...frame.payload.matchAll(/127\.0\.0\.1[:|](\d+)/g)].map((m) => Number(m[1]))),
    );
    for (const port of ports) {
      if (port === RECORDED_PORT) continue;
      const peer = await this.peer(port);
      if (closed.includes(port)) {
        peer.close();
        this.#peers.delete(port);
      }
    }
  }

  async play(frames: readonly Frame[]): Promise<void> {
    for (const frame of frames) {
      if (frame.from === 'application') this.#send(this.#toLive(frame.payload));
      else await this.#expect(frame.payload);
    }
  }

  /** Frames that the engine sent and the recorded server did not. */
  get surplus(): readonly string[] {
    return this.#live;
  }

  /** The recorded text in live words, for messages that a test sends beside the recording. */
  live(text: string): string {
    return this.#toLive(text);
  }

  close(): void {
    this.socket.destroy();
    for (const peer of this.#peers.values()) peer.close();
  }

  #send(payload: string): void {
    this.socket.write(`${payload.length}#${payload}`, 'latin1');
  }

  async #expect(recorded: string): Promise<void> {
    const fields = recorded.split('\r\n', 1)[0]?.split('|') ?? [];
    if (fields[1] === 'sip' && fields[2] === 'network' && fields[3] !== '0') await this.#fromNetwork(recorded, fields);
    const live = await this.#next(kindOf(recorded));
    this.#learn(recorded, live);
    const said = comparable(this.#toRecorded(live));
    const expected = comparable(recorded);
    if (said !== expected) this.differences.push({ recorded: expected, live: said });
  }

  /** Sends what the recorded server had received: without the stamp that it put into the Via. */
  async #fromNetwork(recorded: string, fields: readonly string[]): Promise<void> {
    const message = recorded.slice(recorded.indexOf('\r\n') + 2);
    const peer = await this.peer(Number(fields[6]));
    const sent = message.startsWith('SIP/2.0') ? message : message.replace(/;rport=\d+/, '');
    peer.send(this.#toLive(sent), this.enginePort);
  }

  async #next(kind: string): Promise<string> {
    let late = false;
    const patience = setTimeout(() => {
      late = true;
      this.#wake?.();
    }, WITHIN_MS);
    try {
      for (;;) {
        const at = this.#live.findIndex((live) => kindOf(this.#toRecorded(live)) === kind);
        if (at >= 0) return this.#live.splice(at, 1)[0] ?? '';
        if (late) throw new Error(`the engine never said: ${kind}\nIt said:\n${this.#live.join('\n---\n')}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(patience);
      this.#wake = undefined;
    }
  }

  #learn(recorded: string, live: string): void {
    const field = (text: string, at: number): string => text.split('\r\n', 1)[0]?.split('|')[at] ?? '';
    const isOrderAnswer = field(recorded, 1) === 'response';
    this.#bind(field(recorded, 0), field(live, 0));
    this.#bind(field(recorded, isOrderAnswer ? 9 : 7), field(live, isOrderAnswer ? 9 : 7));
    this.#bind(field(recorded, isOrderAnswer ? 10 : 8), field(live, isOrderAnswer ? 10 : 8));
    for (const [header, part] of GENERATED) {
      this.#bind(part.exec(headerOf(recorded, header))?.[1] ?? '', part.exec(headerOf(live, header))?.[1] ?? '');
    }
  }

  #bind(recorded: string, live: string): void {
    if (recorded.length > 5 && live !== '' && !this.#bound.has(recorded)) this.#bound.set(recorded, live);
  }

  #bindPort(recorded: number, live: number): void {
    for (const [before, after] of [
      ['127.0.0.1:', ''],
      ['127.0.0.1|', '|'],
      ['rport=', ''],
    ] as const) {
      this.#bound.set(`${before}${recorded}${after}`, `${before}${live}${after}`);
    }
  }

  #pairs(): [string, string][] {
    return [...this.#bound].sort((a, b) => b[0].length - a[0].length);
  }

  #toLive(text: string): string {
    let live = text.replaceAll('UDP 127.0.0.1;rport;', `UDP 127.0.0.1:${RECORDED_PORT};rport;`);
    for (const [recorded, now] of this.#pairs()) live = live.replaceAll(recorded, now);
    return live;
  }

  #toRecorded(text: string): string {
    let said = text;
    for (const [recorded, now] of this.#pairs()) said = said.replaceAll(now, recorded);
    return said.replaceAll(`UDP 127.0.0.1:${RECORDED_PORT};rport;`, 'UDP 127.0.0.1;rport;');
  }
}

/** What the server chooses: tags, branches, Call-IDs, its own CSeq numbers. */
const GENERATED: readonly (readonly [string, RegExp])[] = [
  ['From', /;tag=([^;]+)/],
  ['To', /;tag=([^;]+)/],
  ['Via', /;branch=([^;]+)/],
  ['Call-ID', /^(.*)$/],
  ['CSeq', /^(\d{6,})/],
];

/** What a frame is about: enough to find its like. */
function kindOf(payload: string): string {
  const fields = payload.split('\r\n', 1)[0]?.split('|') ?? [];
  if (fields[1] === 'response') return `response to ${fields[2]}`;
  const start = payload.split('\r\n')[1] ?? '';
  return `${fields[2]}: ${start.startsWith('SIP/2.0') ? start : start.split(' ', 1)[0]} ${headerOf(payload, 'CSeq').split(' ')[1]}`;
}

/** A payload with what differs from run to run, or in form alone, taken out. */
function comparable(payload: string): string {
  return (
    payload
      // The clock and the byte count.
      .replace(/\|\d\d:\d\d:\d\d\.\d{6}\|/, '|<time>|')
      .replace(/\|(network|application)\|[1-9]\d*\|/, '|$1|<bytes>|')
      // In a made-up answer the recorded server's To stands without brackets.
      .replace(/^To: (sip:[^;\r]*);tag=/m, 'To: <$1>;tag=')
      // It also spaces the parameters of credentials.
      .replace(/^Proxy-Authorization: [^\r]*/m, (line) => line.replaceAll(', ', ','))
  );
}
