import type { Ed25519PublicKey } from '../../config/schema/types.generated.js';
import type { EndCause } from '../../gateway/calls/record.js';
import type { Clock, Timer } from '../../gateway/clock/clock.js';
import { type CallId, callId, type HandsetId, handsetId } from '../../gateway/policy/ids.js';
import { uuid7 } from '../../gateway/store/uuid7.js';
import type { CommandResult, HouseCommand } from '../../gateway/uplink/command-desk.js';
import type { OutboxEntry } from '../../gateway/uplink/drain.js';
import { Uplink } from '../../gateway/uplink/uplink.js';
import { MemoryOutbox } from './memory-outbox.js';

/** How often things go wrong, each from 0 to 1 for each call; the wire's faults are the real ones of its connection. */
export interface FleetFaults {
  /** The connection is dropped in the middle of it. */
  readonly drop: number;
  /** An event is taken for sent and is not: what a broker does that confirms and forgets. */
  readonly forget: number;
  /** An alarm is raised. */
  readonly alarm: number;
}

export interface SimulatedGatewayOptions {
  readonly url: string;
  readonly gatewayId: string;
  readonly zone: string;
  readonly handsets: number;
  /** Calls of each handset in an hour. */
  readonly callsAnHour: number;
  /** How long a call talks at the most, seconds. */
  readonly talkS: number;
  readonly commandKeys: readonly Ed25519PublicKey[];
  readonly statusS: number;
  readonly faults: FleetFaults;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

interface Talk {
  readonly call: CallId;
  readonly handset: HandsetId;
  readonly wing: string;
  readonly began: string;
  readonly end: Timer;
}

const RULES = ['number.not-sanctioned', 'window.callee', 'window.site', 'limit.talk', 'lockdown.wing'];
const CAUSES: readonly EndCause[] = ['handset-hung-up', 'trunk-hung-up', 'deadline', 'no-answer', 'busy'];
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A gateway without calls, lines or disk: the real uplink over an outbox in memory, and made-up traffic. */
export class SimulatedGateway {
  readonly outbox: MemoryOutbox;
  readonly uplink: Uplink;
  readonly #handsets: readonly { readonly id: HandsetId; readonly wing: string }[];
  readonly #talks = new Map<HandsetId, Talk>();
  #next: Timer | undefined;

  constructor(private readonly options: SimulatedGatewayOptions) {
    const { gatewayId, url, clock, handsets, zone, commandKeys, statusS, random } = options;
    this.outbox = new MemoryOutbox(gatewayId, 'boot-simulated');
    this.#handsets = Array.from({ length: handsets }, (_, n) => {
      const wing = String.fromCharCode(97 + Math.floor(n / 20));
      return { id: handsetId(`${wing}-${101 + (n % 20)}`), wing };
    });
    this.uplink = new Uplink({
      config: { url, commandKeys: [...commandKeys], tokenKey: Buffer.alloc(32).toString('base64'), statusS },
      gatewayId,
      version: 'simulated',
      bootId: 'boot-simulated',
      clock,
      store: this.outbox,
      status: () => ({
        zone,
        clock: { trusted: true },
        calls: this.#talks.size,
        disk: { usedBytes: 0, limitBytes: 2 ** 30, freeBytes: 2 ** 33, hasRoom: true },
      }),
      handsets: this.#handsets,
      onCommand: (command) => this.#obey(command),
      log: silent,
      random,
    });
    this.outbox.onAppended = () => this.uplink.wake();
  }

  start(): void {
    this.uplink.start();
    this.#plan();
  }

  /** Makes no more calls, ends those that are up, and leaves. */
  async stop(): Promise<void> {
    this.rest();
    await this.uplink.stop();
  }

  /** Makes no more calls; what waits goes on being sent. */
  rest(): void {
    this.#next?.cancel();
    this.#next = undefined;
    for (const talk of [...this.#talks.values()]) this.#end(talk, 'gateway-stopped');
  }

  #plan(): void {
    const { clock, random, callsAnHour } = this.options;
    const meanMs = 3_600_000 / (callsAnHour * this.#handsets.length);
    // Independent callers: the time to the next call is exponential.
    this.#next = clock.after(-Math.log(1 - random()) * meanMs, () => {
      this.#plan();
      this.#call();
    });
  }

  #call(): void {
    const { random, clock, faults, talkS } = this.options;
    const { id: handset, wing } = this.#pick(this.#handsets);
    if (this.#talks.has(handset)) return;
    const call = callId(uuid7(clock.wall().epochMilliseconds));
    const began = clock.wall().toString();
    if (random() < 0.2) {
      this.#record({ call, handset, wing, began }, 'refused', this.#pick(RULES));
    } else {
      const forMs = talkS * 1_000 * (0.2 + 0.8 * random());
      const talk: Talk = {
        call,
        handset,
        wing,
        began,
        end: clock.after(forMs, () => this.#end(talk, this.#pick(CAUSES))),
      };
      this.#talks.set(handset, talk);
      const until = clock.wall().add({ milliseconds: Math.round(talkS * 1_000) });
      this.uplink.observer.handset(handset, 'talking', { call, until });
    }
    if (random() < faults.alarm) {
      const data = { why: 'line.lost', message: 'A simulated board does not answer.', handset };
      this.outbox.append([{ kind: 'alarm', type: 'balise.alarm.line.lost', data }]);
    }
    if (random() < faults.forget) {
      const waiting: readonly OutboxEntry[] = this.outbox.pending({ alarm: 0, event: 0 }, 1);
      this.outbox.acknowledge(waiting.map(({ sequence }) => sequence));
    }
    if (random() < faults.drop) this.uplink.reconnect('a simulated fault');
  }

  #end(talk: Talk, cause: EndCause): void {
    talk.end.cancel();
    this.#talks.delete(talk.handset);
    this.#record(talk, cause);
    this.uplink.observer.handset(talk.handset, 'ended', { call: talk.call });
  }

  #record(talk: Omit<Talk, 'end'>, cause: EndCause, rule?: string): void {
    const { call, handset, wing, began } = talk;
    const ended = this.options.clock.wall();
    this.outbox.append([
      {
        kind: 'event',
        type: cause === 'refused' ? 'balise.call.refused' : 'balise.call.ended',
        data: {
          call,
          handset,
          wing,
          requestedAt: began,
          endedAt: ended.toString(),
          talkMs: rule === undefined ? Math.max(0, ended.epochMilliseconds - Date.parse(began)) : 0,
          cause,
          planes: {},
          ...(rule === undefined ? {} : { rule }),
        },
      },
    ]);
  }

  async #obey(command: HouseCommand): Promise<CommandResult> {
    if (command.type !== 'cutoff') return { outcome: 'done' };
    const { target } = command;
    const cut = [...this.#talks.values()].filter(
      ({ handset, wing, call }) =>
        target.kind === 'site' ||
        (target.kind === 'wing' && target.wing === wing) ||
        (target.kind === 'handset' && target.handset === handset) ||
        (target.kind === 'call' && target.call === call),
    );
    for (const talk of cut) this.#end(talk, 'cutoff');
    return {
      outcome: 'done',
      result: { calls: cut.length, silentMs: 0, byesSentMs: 0, relaysOpenMs: 0, complete: true },
    };
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.options.random() * from.length)] as T;
  }
}
