import { randomBytes } from 'node:crypto';
import Srf from 'drachtio-srf';
import { createEngine } from '../../gateway/sip-engine/engine.js';

/** A SIP address of its own for simulated handsets or a simulated carrier: a drachtio application on an embedded engine. */
export interface SipParty {
  readonly srf: Srf;
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Opens a party on `address`; port 0 lets the kernel choose. */
export async function openSipParty(address: string, port = 0): Promise<SipParty> {
  const secret = randomBytes(16).toString('hex');
  const engine = await createEngine({
    listeners: [{ name: 'party', address, port, transports: ['udp'] }],
    client: { address: '127.0.0.1', port: 0, secret },
  });
  const srf = new Srf();
  srf.on('error', () => undefined);
  await srf.connect({ host: '127.0.0.1', port: engine.client.port, secret });
  const listener = engine.listeners[0];
  return {
    srf,
    address,
    port: listener?.port ?? port,
    async close() {
      srf.disconnect();
      await engine.close();
    },
  };
}
