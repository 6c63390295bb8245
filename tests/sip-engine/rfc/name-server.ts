import { createSocket, type Socket } from 'node:dgram';
import type { Test } from 'tap';

export interface SrvAnswer {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** What a name server knows: `A name` → addresses, `SRV name` → services. */
export type Zone = Readonly<Record<string, readonly string[] | readonly SrvAnswer[]>>;

const TYPES: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA', 33: 'SRV' };

function nameBytes(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function dataOf(answer: string | SrvAnswer): Buffer {
  if (typeof answer === 'string') return Buffer.from(answer.split('.').map(Number));
  const head = Buffer.alloc(6);
  head.writeUInt16BE(answer.priority, 0);
  head.writeUInt16BE(answer.weight, 2);
  head.writeUInt16BE(answer.port, 4);
  return Buffer.concat([head, nameBytes(answer.target)]);
}

/** A name server on loopback that knows one zone (RFC 1035 §4, RFC 2782); closed with the test. Counts the questions. */
export async function nameServer(
  test: Test,
  zone: Zone,
): Promise<{ readonly address: string; asked(): readonly string[] }> {
  const asked: string[] = [];
  const socket: Socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const question = query.subarray(12, at + 5);
    const type = query.readUInt16BE(at + 1);
    const key = `${TYPES[type]} ${labels.join('.').toLowerCase()}`;
    asked.push(key);
    const answers = (zone[key] ?? []).map((answer) => {
      const data = dataOf(answer);
      const head = Buffer.alloc(12);
      // A pointer to the question's name, the type, the class IN, 60 s, the length.
      head.writeUInt16BE(0xc00c, 0);
      head.writeUInt16BE(type, 2);
      head.writeUInt16BE(1, 4);
      head.writeUInt32BE(60, 6);
      head.writeUInt16BE(data.length, 10);
      return Buffer.concat([head, data]);
    });
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    socket.send(Buffer.concat([head, question, ...answers]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
  test.teardown(() => socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, asked: () => asked };
}
