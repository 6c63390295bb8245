import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Below the ports that Linux gives to whoever asks for none (32768 to 60999), and above what is well known. */
const LOWEST = 12_000;
const HIGHEST = 29_999;
const ATTEMPTS = 1_000;

/**
 * A port on 127.0.0.1 that nobody holds at this moment, UDP or TCP, for peers that cannot be told to let the kernel choose
 * or that must come back at the same port. It is none of the kernel's own choice: one of these may be the near end of
 * somebody's connection by the time it is bound (a client that tries a dead server again and again even meets itself).
 * No other process of this machine is given it by this function as long as this one lives.
 */
export async function freePort(lowest = LOWEST, highest = HIGHEST): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(lowest, highest + 1);
    if ((await isFree(port)) && (await isReserved(port))) return port;
  }
  throw new Error(`no free port of 127.0.0.1 from ${lowest} to ${highest} in ${ATTEMPTS} attempts`);
}

/**
 * Reserves a port among the processes that ask here, by a name that the kernel gives to one of them and takes back when it
 * ends, however it ends (unix(7), abstract socket addresses): between the look at a port and its use there may be a second.
 */
async function isReserved(port: number): Promise<boolean> {
  const holder = createServer();
  try {
    holder.listen(`\0balise-port-${port}`);
    await once(holder, 'listening');
    holder.unref();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
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
