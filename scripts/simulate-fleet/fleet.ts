import { SimulatedGateway, type SimulatedGatewayOptions } from './gateway.js';

export interface FleetOptions extends Omit<SimulatedGatewayOptions, 'gatewayId' | 'random' | 'zone'> {
  readonly gateways: number;
  /** Gateways that connect in one second. */
  readonly connectsAS: number;
  /** Decides everything that is left to chance. */
  readonly seed: number;
  /** Told before the site's name: two fleets at one broker do not meet. */
  readonly prefix?: string;
}

const ZONES = ['Europe/Brussels', 'Europe/Tirane', 'Europe/Moscow', 'Europe/Istanbul'];

/** Many simulated gateways in one process. */
export class SimulatedFleet {
  readonly gateways: readonly SimulatedGateway[];

  constructor(private readonly options: FleetOptions) {
    const { gateways, seed, prefix = 'site' } = options;
    this.gateways = Array.from(
      { length: gateways },
      (_, n) =>
        new SimulatedGateway({
          ...options,
          gatewayId: `${prefix}-${String(n + 1).padStart(4, '0')}/gw-1`,
          zone: ZONES[n % ZONES.length] as string,
          random: randomOf(seed * 1_000_003 + n),
        }),
    );
  }

  /** Connects them one after the other; settles when the last has begun to. */
  async start(): Promise<void> {
    const { clock, connectsAS } = this.options;
    for (const gateway of this.gateways) {
      gateway.start();
      await new Promise<void>((settle) => clock.after(1_000 / connectsAS, settle));
    }
  }

  /** Events written so far, and those not yet confirmed. */
  get counts(): { readonly written: number; readonly waiting: number; readonly connected: number } {
    let written = 0;
    let waiting = 0;
    let connected = 0;
    for (const { outbox, uplink } of this.gateways) {
      written += outbox.last();
      waiting += outbox.depth();
      connected += Number(uplink.connected);
    }
    return { written, waiting, connected };
  }

  rest(): void {
    for (const gateway of this.gateways) gateway.rest();
  }

  async stop(): Promise<void> {
    await Promise.all(this.gateways.map((gateway) => gateway.stop()));
  }
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
