/** A worker that floods: REGISTER requests and junk datagrams, at a steady rate, from one address. */
import { createSocket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';
import { request } from '../rig.js';

interface Order {
  readonly from: string;
  readonly port: number;
  readonly registersPerS: number;
  readonly junkPerS: number;
}

const SLICE_MS = 10;

function flood({ from, port, registersPerS, junkPerS }: Order): void {
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  socket.on('error', () => undefined);
  // What comes back is read and forgotten.
  socket.on('message', () => undefined);
  socket.bind(0, from, () => {
    const own = { port: socket.address().port };
    let sent = 0;
    const startMs = performance.now();
    const beat = setInterval(() => {
      const dueS = (performance.now() - startMs) / 1000;
      const due = Math.floor(dueS * (registersPerS + junkPerS));
      for (; sent < due; sent++) {
        const isJunk = sent % (registersPerS + junkPerS) < junkPerS;
        const text = isJunk
          ? `junk ${sent} ${'\0\xff;<>"'.repeat(20)}\r\n\r\n`
          : request('REGISTER', own, port, { callId: `flood-${sent}`, branch: `z9hG4bKflood${sent}` });
        socket.send(Buffer.from(text, 'latin1'), port, '127.0.0.1');
      }
    }, SLICE_MS);
    parentPort?.once('message', () => {
      clearInterval(beat);
      socket.close();
      parentPort?.postMessage(sent);
    });
  });
}

flood(workerData as Order);
