import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import type { EventEnvelope } from '../../config/schema/types.generated.js';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { Receiver, type ReceiverFault } from '../../scripts/headquarters/receiver.js';
import { sendCommand } from '../../scripts/headquarters/send-command.js';
import {
  type CommandOrder,
  newCommand,
  newSigningKey,
  type SigningKey,
} from '../../scripts/headquarters/sign-command.js';
import { Mosquitto } from '../uplink/mosquitto.js';

type Message = Readonly<Record<string, unknown>>;

/** The gateway of tests/peers/site.ts as headquarters names it. */
export const GATEWAY = 'test/gw-1';

/** Headquarters for one test: a real mosquitto, a receiver that checks every message by its schema, and a signing key. */
export class Headquarters {
  readonly clock = systemClock(() => ({ trusted: true }));
  readonly events: EventEnvelope[] = [];
  readonly faults: ReceiverFault[] = [];
  readonly states: { readonly topic: string; readonly message: Message }[] = [];
  #waiting: (() => void)[] = [];

  private constructor(
    readonly broker: Mosquitto,
    readonly key: SigningKey,
    /** What uplink.json says. */
    readonly uplink: Record<string, unknown>,
  ) {}

  static async start(t: Test): Promise<Headquarters> {
    const broker = await Mosquitto.start();
    t.teardown(() => broker.close());
    const { privateJwk, publicJwk } = await newSigningKey('hq-test');
    const headquarters = new Headquarters(broker, privateJwk, {
      url: broker.url,
      commandKeys: [publicJwk],
      tokenKey: randomBytes(32).toString('base64'),
    });
    const receiver = new Receiver({
      url: broker.url,
      onEvent: (event) => headquarters.#heard(() => headquarters.events.push(event)),
      onFault: (fault) => headquarters.#heard(() => headquarters.faults.push(fault)),
      onState: (topic, message) => headquarters.#heard(() => headquarters.states.push({ topic, message })),
    });
    await receiver.start();
    t.teardown(() => receiver.stop());
    return headquarters;
  }

  #heard(keep: () => void): void {
    keep();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async #first<T>(among: readonly T[], wanted: (one: T) => boolean): Promise<T> {
    for (;;) {
      const found = among.find(wanted);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The first event of the type, among those that came and those to come. */
  event(type: string, wanted: (data: Message) => boolean = () => true): Promise<EventEnvelope> {
    return this.#first(this.events, (event) => event.type === type && wanted(event.data as Message));
  }

  /** The first message on a state topic (`presence`, `handset/<id>`, `ack/<id>`) that `wanted` accepts. */
  async state(topic: string, wanted: (message: Message) => boolean = () => true): Promise<Message> {
    return (await this.#first(this.states, (said) => said.topic === topic && wanted(said.message))).message;
  }

  /** Sends a signed order; settles with the gateway's last word on it. */
  order(order: CommandOrder, key = this.key) {
    return sendCommand({
      url: this.broker.url,
      key,
      clock: this.clock,
      command: newCommand(this.clock, GATEWAY, order),
    });
  }
}
