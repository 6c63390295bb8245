import type { IClientPublishOptions, MqttClient } from 'mqtt';

/** What a PUBLISH holds besides its topic and payload at the most, bytes. */
const PACKET_FRAME = 16;

/**
 * Publishes of one connection, with QoS 1, as many at once as the broker takes (MQTT 5 §4.9) and none larger than it takes
 * (§3.2.2.3.6): a broker hangs up on more. The others wait their turn in the order in which they came.
 */
export class Flights {
  #flying = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(
    private readonly client: Pick<MqttClient, 'publish'>,
    private readonly receiveMaximum: number,
    private readonly maximumPacketSize: number,
  ) {}

  readonly publish = (
    topic: string,
    payload: string,
    how: IClientPublishOptions,
    done: (fault?: Error | null) => void = () => undefined,
  ): void => {
    const bytes = packetBytes(topic, payload);
    if (bytes > this.maximumPacketSize) {
      // Not at once, as an answer of the broker would not be.
      setImmediate(() => done(new Error(`it has ${bytes} bytes, and ${this.maximumPacketSize} is the most`)));
      return;
    }
    const send = (): void => {
      this.#flying += 1;
      this.client.publish(topic, payload, { ...how, qos: 1 }, (fault) => {
        this.#flying -= 1;
        done(fault);
        this.#waiting.shift()?.();
      });
    };
    if (this.#flying < this.receiveMaximum) send();
    else this.#waiting.push(send);
  };
}

/** The size of a PUBLISH packet, at the most. */
export function packetBytes(topic: string, payload: string): number {
  return Buffer.byteLength(payload) + topic.length + PACKET_FRAME;
}
