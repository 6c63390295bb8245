import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/**
 * A UDP port on 127.0.0.1 that nobody holds at this moment, for peers that cannot be told to let the kernel choose.
 * The kernel hands out ephemeral ports in no order, so two programs side by side do not meet in practice.
 */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
