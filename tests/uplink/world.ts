import { connectAsync, type MqttClient } from 'mqtt';
import type { Test } from 'tap';
import type { Ed25519PublicKey } from '../../config/schema/types.generated.js';
import type { EventDraft } from '../../gateway/calls/ports.js';
import { systemClock } from '../../gateway/clock/system-clock.js';
import type { Store } from '../../gateway/store/store.js';
import { Uplink, type UplinkOptions } from '../../gateway/uplink/uplink.js';
import { aFolder, aStore } from '../store/folder.js';
import { silent } from '../store/samples.js';
import { Mosquitto, mosquittoProgram } from './mosquitto.js';

export const GATEWAY = 'demo/gw-1';
export const BASE = `balise/v1/${GATEWAY}`;
export const clock = systemClock(() => ({ trusted: true }));

/** Options for tests that need mosquitto: skipped by that word where it is missing. */
export const needsMosquitto = mosquittoProgram === undefined ? { skip: 'the Debian package mosquitto is missing' } : {};

/** @param more lines of its configuration. */
export async function aBroker(t: Test, more: readonly string[] = []): Promise<Mosquitto> {
  const broker = await Mosquitto.start(more);
  t.teardown(() => broker.close());
  return broker;
}

export interface UplinkParts {
  readonly url: string;
  readonly keys?: readonly Ed25519PublicKey[];
  readonly onCommand?: UplinkOptions['onCommand'];
  readonly folder?: string;
  readonly statusS?: number;
  readonly handsets?: UplinkOptions['handsets'];
  readonly zone?: string;
  readonly files?: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly account?: { readonly username: string; readonly password: string };
  readonly log?: UplinkOptions['log'];
}

/** A store and an uplink joined as in the gateway, on the real clock. Not started. */
export function anUplink(t: Test, parts: UplinkParts): { readonly store: Store; readonly uplink: Uplink } {
  const store = aStore(t, { clock, folder: parts.folder ?? aFolder(t) });
  const uplink = new Uplink({
    config: {
      url: parts.url,
      ...parts.files,
      ...parts.account,
      commandKeys: parts.keys ?? [],
      tokenKey: Buffer.alloc(32, 1).toString('base64'),
      statusS: parts.statusS ?? 30,
    },
    gatewayId: GATEWAY,
    version: '0.1.0',
    bootId: 'boot-1',
    clock,
    store: store.outbox,
    status: () => ({
      ...(parts.zone === undefined ? {} : { zone: parts.zone }),
      clock: { trusted: true },
      disk: store.roomLeft(),
    }),
    onCommand: parts.onCommand ?? (async () => ({ outcome: 'failed', why: 'not-here' })),
    ...(parts.handsets === undefined ? {} : { handsets: parts.handsets }),
    log: parts.log ?? silent,
  });
  store.onAppended(() => uplink.wake());
  t.teardown(async () => {
    await uplink.stop();
    store.close();
  });
  return { store, uplink };
}

export const draft = (n: number, kind: EventDraft['kind'] = 'event'): EventDraft => ({
  kind,
  type: 'balise.test.event',
  data: { n },
});

/** A listener of the test's own at the broker: everything that comes, and a wait for what is looked for. */
export class Ear {
  readonly heard: { readonly topic: string; readonly message: Record<string, unknown> }[] = [];
  private waiting: (() => void)[] = [];

  private constructor(readonly client: MqttClient) {
    client.on('message', (topic, payload) => {
      if (topic.includes('/down/')) return;
      this.heard.push({ topic, message: JSON.parse(payload.toString()) as Record<string, unknown> });
      const waiting = this.waiting;
      this.waiting = [];
      for (const look of waiting) look();
    });
    client.on('error', () => undefined);
  }

  /** @param clientId with one, the broker keeps what comes while it, or we, are away. */
  static async at(t: Test, url: string, clientId?: string): Promise<Ear> {
    const session = clientId === undefined ? {} : { clientId, clean: false };
    const client = await connectAsync(url, { protocolVersion: 4, reconnectPeriod: 100, ...session });
    const ear = new Ear(client);
    t.teardown(() => client.endAsync(true));
    await client.subscribeAsync(`${BASE}/#`, { qos: 1 });
    return ear;
  }

  /** The first message on `topic` (below the gateway's) for which `fits`; waits for it as long as the test may run. */
  async hear(topic: string, fits: (message: Record<string, unknown>) => boolean = () => true) {
    for (;;) {
      const found = this.heard.find((one) => one.topic === `${BASE}/${topic}` && fits(one.message));
      if (found !== undefined) return found.message;
      await new Promise<void>((settle) => this.waiting.push(settle));
    }
  }

  /** Everything heard on `topic` so far. */
  all(topic: string): Record<string, unknown>[] {
    return this.heard.filter((one) => one.topic === `${BASE}/${topic}`).map(({ message }) => message);
  }
}
