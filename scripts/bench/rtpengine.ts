import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../peers/free-port.js';
import { ended, minded } from './children.js';

const PROGRAM = '/usr/bin/rtpengine';
const ANSWER_MS = 1_000;
const START_TRIES = 50;

type Bencoded = string | { readonly [key: string]: Bencoded };

/** A running rtpengine daemon in user space, the reference of the relay's benchmark, and its ng protocol. */
export interface Rtpengine {
  readonly pid: number;
  /** Its port of the ng protocol. */
  readonly ngPort: number;
  /** Sends an offer or an answer of a call; settles with the SDP that rtpengine made of it. */
  ask(command: 'offer' | 'answer', call: string, sdp: string): Promise<string>;
  stop(): Promise<void>;
}

export const hasRtpengine = (): boolean => existsSync(PROGRAM);

/** Starts rtpengine on the loopback. Rejects when it does not answer within 5 s. */
export async function startRtpengine(ports: { readonly from: number; readonly to: number }): Promise<Rtpengine> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const ngPort = await freePort();
  const child = minded(
    spawn(
      PROGRAM,
      [
        '--table=-1',
        '--interface=127.0.0.1',
        `--listen-ng=127.0.0.1:${ngPort}`,
        `--port-min=${ports.from}`,
        `--port-max=${ports.to}`,
        '--foreground',
        '--log-stderr',
        '--log-level=3',
      ],
      { stdio: 'ignore' },
    ),
  );
  const stop = async (): Promise<void> => {
    socket.close();
    await ended(child);
  };
  try {
    await answering(socket, ngPort);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid: child.pid ?? 0,
    ngPort,
    ask: async (command, call, sdp) => {
      const order = {
        command,
        'call-id': call,
        'from-tag': 'h',
        ...(command === 'answer' ? { 'to-tag': 't' } : {}),
        sdp,
      };
      const said = await exchange(socket, ngPort, order);
      const field = /3:sdp(\d+):/.exec(said);
      if (field === null) throw new Error(`rtpengine refused ${command}: ${said.slice(0, 200)}`);
      const start = field.index + field[0].length;
      return said.slice(start, start + Number(field[1]));
    },
    stop,
  };
}

async function answering(socket: Socket, port: number): Promise<void> {
  for (let tries = 0; tries < START_TRIES; tries++) {
    const pong = await exchange(socket, port, { command: 'ping' }).catch(() => undefined);
    if (pong?.includes('pong')) return;
    await wait(50);
  }
  throw new Error('rtpengine does not answer');
}

async function exchange(socket: Socket, port: number, order: Bencoded): Promise<string> {
  const cookie = randomUUID();
  const timeout = AbortSignal.timeout(ANSWER_MS);
  const answer = new Promise<string>((resolve, reject) => {
    const done = (): void => {
      socket.removeListener('message', take);
      timeout.removeEventListener('abort', late);
    };
    const late = (): void => {
      done();
      reject(new Error('rtpengine did not answer'));
    };
    const take = (message: Buffer): void => {
      const text = message.toString('latin1');
      if (!text.startsWith(`${cookie} `)) return;
      done();
      resolve(text.slice(cookie.length + 1));
    };
    socket.on('message', take);
    timeout.addEventListener('abort', late);
  });
  socket.send(`${cookie} ${bencode(order)}`, port, '127.0.0.1');
  return answer;
}

function bencode(value: Bencoded): string {
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `d${fields.map(([key, field]) => bencode(key) + bencode(field)).join('')}e`;
}
