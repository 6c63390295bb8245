import { createServer } from 'node:net';
import { Aedes } from 'aedes';

export interface DemoBroker {
  readonly port: number;
  /** For uplink.json. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A broker for the demo and nothing else, on loopback: no accounts, no disk. Headquarters runs its own (mosquitto, EMQX ...).
 * @param port 0 lets the kernel choose. Rejects when the port is taken.
 */
export async function startDemoBroker(port = 0): Promise<DemoBroker> {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  await new Promise<void>((settle, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', settle);
  });
  const bound = server.address();
  const at = typeof bound === 'object' && bound !== null ? bound.port : port;
  return {
    port: at,
    url: `mqtt://127.0.0.1:${at}`,
    close: () =>
      new Promise((settle) => {
        server.close();
        aedes.close(settle);
      }),
  };
}
