import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';

/** What goes wrong with the packets of a wire; each is asked for every packet, and returns what is sent on in its place. */
export interface WireFaults {
  /** From the gateway: `type` is the MQTT control packet type (§2.1.2). */
  up?: (type: number, packet: Buffer, wire: Wire) => readonly Buffer[];
  down?: (type: number, packet: Buffer, wire: Wire) => readonly Buffer[];
}

export interface Wire {
  /** Answers the gateway in the broker's name. */
  toGateway(packet: Buffer): void;
  /** Sends these last bytes on to the broker, then cuts both sides. */
  cutAfter(last: Buffer): void;
}

export const PUBLISH = 3;
export const PUBACK = 4;

/** A TCP proxy before a real broker that sees whole MQTT packets, and can lose, double, swallow or cut them. */
export class BadWire {
  connections = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
    readonly faults: WireFaults,
  ) {}

  static async start(t: Test, brokerPort: number, faults: WireFaults): Promise<BadWire> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    const wire = new BadWire(server, typeof bound === 'object' && bound !== null ? bound.port : 0, faults);
    server.on('connection', (near) => wire.join(near, brokerPort));
    t.teardown(() => wire.close());
    return wire;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(near: Socket, brokerPort: number): void {
    this.connections += 1;
    const far = connect(brokerPort, '127.0.0.1');
    let isCut = false;
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroy();
      });
    }
    const wire: Wire = {
      toGateway: (packet) => near.write(packet),
      cutAfter: (last) => {
        isCut = true;
        far.write(last, () => {
          near.destroy();
          far.destroy();
        });
      },
    };
    const pass = (to: Socket, fault: () => WireFaults['up']) =>
      packetsOf((packet) => {
        if (isCut) return;
        const type = (packet[0] ?? 0) >> 4;
        for (const out of fault()?.(type, packet, wire) ?? [packet]) if (!isCut) to.write(out);
      });
    near.on(
      'data',
      pass(far, () => this.faults.up),
    );
    far.on(
      'data',
      pass(near, () => this.faults.down),
    );
  }
}

/** Splits a stream into MQTT packets by their remaining length (§2.1.4). */
function packetsOf(take: (packet: Buffer) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      let length = 0;
      let at = 1;
      let digit: number | undefined;
      do {
        digit = held[at];
        if (digit === undefined) return;
        length += (digit & 0x7f) * 128 ** (at - 1);
        at += 1;
      } while ((digit & 0x80) !== 0);
      if (held.length < at + length) return;
      take(held.subarray(0, at + length));
      held = held.subarray(at + length);
    }
  };
}

/** The packet id of a QoS 1 PUBLISH; it stands behind the topic (§3.3.2). */
export function packetId(publish: Buffer): Buffer {
  let at = 1;
  while (((publish[at] ?? 0) & 0x80) !== 0) at += 1;
  at += 1;
  const id = at + 2 + publish.readUInt16BE(at);
  return publish.subarray(id, id + 2);
}

/** Whether a PUBLISH is of an event or an alarm. */
export function isEvent(publish: Buffer): boolean {
  return /\/(event|alarm)/.test(publish.subarray(0, 120).toString('latin1'));
}
