import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Below the ports that Linux gives to whoever asks for none (32768 to 60999), and above what is well known. */
const LOWEST = 12_000;
const HIGHEST = 29_999;
const given = new Set<number>();

/**
 * A port on 127.0.0.1 that nobody holds at this moment, UDP or TCP, for peers that cannot be told to let the kernel choose
 * or that must come back at the same port. It is none of the kernel's own choice: one of these may be the near end of
 * somebody's connection by the time it is bound (a client that tries a dead server again and again even meets itself).
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

/** Whether a TCP connection to a port of 127.0.0.1 is accepted. */
export async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const socket = createSocket('udp4');
  try {
    const bound = [once(server, 'listening'), once(socket, 'listening')];
    server.listen(port, '127.0.0.1');
    socket.bind(port, '127.0.0.1');
    return (await Promise.allSettled(bound)).every(({ status }) => status === 'fulfilled');
  } finally {
    await Promise.all([new Promise((settle) => server.close(settle)), closed(socket)]);
  }
}

function closed(socket: ReturnType<typeof createSocket>): Promise<void> {
  return new Promise((settle) => {
    try {
      socket.close(() => settle());
    } catch {
      // A socket whose bind failed is not open.
      settle();
    }
  });
}
