import { createSocket, type Socket } from 'node:dgram';
import type { Test } from 'tap';
import { Dice } from '../hostile/mutator.js';

/** What happens to datagrams on the way, in parts of a thousand. */
export interface Weather {
  readonly dropped: number;
  readonly doubled: number;
  readonly delayed: number;
}

function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket)));
}

/**
 * A bad path between a SIPp peer and the engine, one datagram at a time, both ways alike: some are lost, some come twice, some
 * come late and so behind those that were sent after them. One seed decides it all.
 */
export class LossyPath {
  readonly counts = { passed: 0, dropped: 0, doubled: 0, delayed: 0 };
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(
    /** Where the peer sends to. */
    readonly outer: Socket,
    /** Where the engine sees the peer. */
    readonly inner: Socket,
    readonly dice: Dice,
    readonly weather: Weather,
  ) {}

  static async open(
    test: Test,
    seed: number,
    weather: Weather,
    ends: { peer: number; engine: number },
  ): Promise<LossyPath> {
    const path = new LossyPath(await bound(), await bound(), new Dice(seed), weather);
    path.outer.on('message', (data) => path.#carry(data, path.inner, ends.engine));
    path.inner.on('message', (data) => path.#carry(data, path.outer, ends.peer));
    test.teardown(() => {
      for (const timer of path.#timers) clearTimeout(timer);
      path.outer.close();
      path.inner.close();
    });
    return path;
  }

  #carry(data: Buffer, from: Socket, to: number): void {
    const roll = this.dice.below(1_000);
    const { dropped, doubled, delayed } = this.weather;
    this.counts.passed++;
    if (roll < dropped) {
      this.counts.dropped++;
      return;
    }
    if (roll < dropped + doubled) {
      this.counts.doubled++;
      from.send(data, to, '127.0.0.1');
    } else if (roll < dropped + doubled + delayed) {
      this.counts.delayed++;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        from.send(data, to, '127.0.0.1');
      }, 10 + this.dice.below(60));
      this.#timers.add(timer);
      return;
    }
    from.send(data, to, '127.0.0.1');
  }
}
