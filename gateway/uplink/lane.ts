/** One publish that is no event of the outbox. */
export interface LaneMessage {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

/** Sends one message with QoS 1; `done` once the broker has confirmed it. Must not throw. */
export type LaneSend = (message: LaneMessage, done: () => void) => void;

/** Acknowledgements kept while the broker is away; headquarters has long given up on older ones. */
const MOST_ACKS = 200;

/**
 * What goes up beside the outbox: retained states, of which only the latest counts, and acknowledgements, of which each does.
 * A state that changes faster than the broker takes it is sent less often and never late; a new connection gets every state
 * afresh, because the broker may have forgotten. Memory is bounded by the number of topics.
 */
export class Lane {
  private readonly states = new Map<string, string>();
  private readonly dirty = new Set<string>();
  private readonly flying = new Set<string>();
  private acks: LaneMessage[] = [];
  /** Those of `acks` that were sent on this connection. */
  private readonly flyingAcks = new Set<LaneMessage>();
  private send: LaneSend | undefined;
  private width = 0;
  /** Rises with each connection, so that a late confirmation of an old one is told apart. */
  private generation = 0;

  /** The connection is up and takes `width` states and as many acknowledgements in flight. */
  up(width: number, send: LaneSend): void {
    this.generation += 1;
    this.width = width;
    this.send = send;
    this.flying.clear();
    this.flyingAcks.clear();
    this.all();
  }

  down(): void {
    this.generation += 1;
    this.send = undefined;
  }

  /** Sets a retained topic; the same payload again is not sent again. */
  state(topic: string, payload: string): void {
    if (this.states.get(topic) === payload) return;
    this.states.set(topic, payload);
    this.dirty.add(topic);
    this.pump();
  }

  ack(topic: string, payload: string): void {
    this.acks.push({ topic, payload, retain: false });
    if (this.acks.length > MOST_ACKS) this.acks.shift();
    this.pump();
  }

  /** Sends every retained topic again. */
  all(): void {
    for (const topic of this.states.keys()) this.dirty.add(topic);
    this.pump();
  }

  private pump(): void {
    const { send, generation } = this;
    if (send === undefined) return;
    for (const ack of this.acks) {
      if (this.flyingAcks.size >= this.width) break;
      if (this.flyingAcks.has(ack)) continue;
      this.flyingAcks.add(ack);
      send(ack, () => {
        if (generation !== this.generation) return;
        this.flyingAcks.delete(ack);
        this.acks = this.acks.filter((other) => other !== ack);
        this.pump();
      });
    }
    for (const topic of this.dirty) {
      if (this.flying.size >= this.width) return;
      if (this.flying.has(topic)) continue;
      this.dirty.delete(topic);
      this.flying.add(topic);
      send({ topic, payload: this.states.get(topic) ?? '', retain: true }, () => {
        if (generation !== this.generation) return;
        this.flying.delete(topic);
        this.pump();
      });
    }
  }
}
