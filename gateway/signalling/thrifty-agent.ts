/**
 * drachtio-srf's client of the SIP server, without what serves its debug output alone: it prints a response in full three times
 * for each that it sends, whether anybody reads that or not. And what is written in one go leaves in one piece, such as the
 * 180 and the INVITE of a call that is granted: each write wakes the engine up.
 * What goes over the wire is the same to the letter (tests/signalling/thrifty-agent.test.ts).
 */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

type Headers = Record<string, unknown>;

interface Message {
  readonly headers: Record<string, string>;
  readonly body?: string;
}

interface Orders {
  readonly headers?: Headers;
  readonly body?: string;
  readonly stackTxnId?: string;
  readonly stackDialogId?: string;
}

interface Wire {
  send(socket: Socket, payload: string): string;
}

/** What of drachtio-srf's agent is used here. */
export interface Agent {
  wp?: Wire;
  connect(...args: readonly unknown[]): void;
  sendMessage(socket: Socket, message: Message, orders?: Orders): string;
}

interface Printer {
  stringifySipMessage(message: object): string;
  getHeaderName(written: string): string;
}

/** Makes an agent thrifty, before it connects. */
export function thrifty(agent: Agent): Agent {
  const printer = createRequire(import.meta.url)('drachtio-srf/lib/sip-parser/parser.js') as Printer;
  const connect = agent.connect.bind(agent);
  agent.connect = (...args) => {
    connect(...args);
    if (agent.wp !== undefined) sendTogether(agent.wp);
  };
  agent.sendMessage = (socket, message, orders = {}) => {
    const { headers = {}, body, stackTxnId = '', stackDialogId = '' } = orders;
    const all: Record<string, string> = { ...message.headers };
    // It has its place before what is added, and its value when all is there.
    all['content-length'] ??= '0';
    for (const written of Object.keys(headers)) {
      const name = printer.getHeaderName(written);
      const before = all[name];
      all[name] = before === undefined ? String(headers[written]) : `${before},${headers[written]}`;
    }
    const text = printer.stringifySipMessage({ ...message, headers: all, body: body || message.body });
    return agent.wp?.send(socket, `sip|${stackTxnId}|${stackDialogId}\r\n${text}`) ?? '';
  };
  return agent;
}

/** Frames of one go leave together; a socket that is ended sends what it holds first. */
function sendTogether(wire: Wire): void {
  const held = new WeakSet<Socket>();
  wire.send = (socket, payload) => {
    const id = randomUUID();
    if (!held.has(socket)) {
      held.add(socket);
      socket.cork();
      process.nextTick(() => {
        held.delete(socket);
        socket.uncork();
      });
    }
    // An id is 36 characters and a bar.
    socket.write(`${Buffer.byteLength(payload) + 37}#${id}|${payload}`);
    return id;
  };
}
