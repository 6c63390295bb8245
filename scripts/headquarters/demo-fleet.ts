import { randomBytes } from 'node:crypto';
import type { Ed25519PublicKey } from '../../config/schema/types.generated.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { SimulatedFleet } from '../simulate-fleet/fleet.js';
import { putAccount } from './accounts.js';
import { startDemoBroker } from './demo-broker.js';
import { serve } from './serve.js';
import { newSigningKey } from './sign-command.js';

export interface DemoFleet {
  readonly url: string;
  /** Of both accounts, `duty` and `guest`. */
  readonly password: string;
  stop(): Promise<void>;
}

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Headquarters with a broker, a database in memory and four simulated gateways, on loopback and in this process alone. */
export async function startDemoFleet(clock: Clock, port = 0): Promise<DemoFleet> {
  const broker = await startDemoBroker();
  const { privateJwk, publicJwk } = await newSigningKey('hq-demo');
  const running = await serve({
    config: {
      url: broker.url,
      clientId: 'headquarters-demo',
      database: 'sqlite::memory:',
      listen: { address: '127.0.0.1', port },
      keepDays: 1,
      silentS: 90,
      loanH: 8,
    },
    clock,
    log: silent,
    key: privateJwk,
  });
  const password = randomBytes(9).toString('base64url');
  const nowMs = clock.wall().epochMilliseconds;
  await putAccount(running.db, 'duty', 'operator', password, nowMs);
  await putAccount(running.db, 'guest', 'viewer', password, nowMs);
  const fleet = new SimulatedFleet({
    url: broker.url,
    gateways: 4,
    handsets: 12,
    callsAnHour: 40,
    talkS: 90,
    connectsAS: 10,
    commandKeys: [publicJwk as unknown as Ed25519PublicKey],
    statusS: 30,
    faults: { drop: 0.002, forget: 0.002, alarm: 0.03 },
    seed: nowMs,
    clock,
  });
  await fleet.start();
  return {
    url: running.url,
    password,
    stop: async () => {
      await fleet.stop();
      await running.stop();
      await broker.close();
    },
  };
}
