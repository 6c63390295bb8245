import type { Logger } from 'pino';
import { Temporal } from 'temporal-polyfill';
import type {
  Command,
  CommandAck,
  CutoffCommand,
  DoNotCallCommand,
  Ed25519PublicKey,
  ReleaseCommand,
  WarrantCommand,
} from '../../config/schema/types.generated.js';
import type { EventDraft } from '../calls/ports.js';
import type { Clock } from '../clock/clock.js';
import { CommandGate, type CommandRefusal } from './command-gate.js';

/** What came of an accepted command. `result` is what was measured, for a cutoff the `CutoffResult`. */
export type CommandResult =
  | { readonly outcome: 'done'; readonly result?: Readonly<Record<string, unknown>> }
  | { readonly outcome: 'failed'; readonly why: string; readonly detail?: string };

/** The part of the disk that commands need. */
export interface CommandStore {
  /** Takes a command's id, durably; false when it was taken before. It may be forgotten after `forgetAt`. */
  takeCommand(id: string, forgetAt: Temporal.Instant): boolean;
  append(events: readonly EventDraft[]): void;
}

export interface CommandDeskOptions {
  readonly keys: readonly Ed25519PublicKey[];
  readonly gatewayId: string;
  readonly clock: Clock;
  readonly store: CommandStore;
  readonly acknowledge: (ack: CommandAck) => void;
  /** Does what was ordered. A rejection is acknowledged as failed. */
  readonly onCommand: (command: Command) => Promise<CommandResult>;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** A command's id stays on disk for as long after its end, hours: longer than any clock that is believed can be off. */
const REMEMBER_H = 24;
/** Alarms of refused commands in one minute; whoever can write to the topic must not be able to fill the disk. */
const ALARMS_A_MINUTE = 10;
const MINUTE_NS = 60_000_000_000n;

/** Takes commands, has them judged and done, and answers each. Refused ones raise an alarm. */
export class CommandDesk {
  private readonly gate: CommandGate;
  private minute = { beganNs: 0n, alarms: 0, suppressed: 0 };

  constructor(private readonly options: CommandDeskOptions) {
    this.gate = new CommandGate(options);
  }

  /** Makes ready what the first command would have to wait for. */
  warm(): void {
    this.gate.warm();
  }

  /** What came on `down/command`. Settles when the last answer is given; never rejects. */
  async take(payload: Uint8Array): Promise<void> {
    const arrivedNs = this.options.clock.monotonicNs();
    const verdict = await this.gate.judge(payload);
    if (!verdict.genuine) return this.refuse(verdict);
    const { command } = verdict;
    const seen = this.claim(command);
    if (seen !== undefined) return this.refuse({ genuine: false, id: command.id, ...seen });
    this.answer({ id: command.id, state: 'accepted' });
    this.options.log.info({ event: 'command.accepted', command: command.id, type: command.type, by: command.by });
    const result = await this.perform(command);
    const ms = Number(this.options.clock.monotonicNs() - arrivedNs) / 1e6;
    this.options.log.info({ event: `command.${result.outcome}`, command: command.id, ms });
    if (result.outcome === 'failed') {
      const { why, detail } = result;
      this.answer({ id: command.id, state: 'failed', why, ...(detail === undefined ? {} : { detail }), ms });
      return;
    }
    this.answer({
      id: command.id,
      state: 'done',
      ms,
      ...(result.result === undefined ? {} : { result: { ...result.result } }),
    });
  }

  private claim(command: Command): Pick<CommandRefusal, 'why' | 'detail'> | undefined {
    try {
      const forgetAt = Temporal.Instant.fromEpochMilliseconds(command.exp * 1_000).add({ hours: REMEMBER_H });
      if (this.options.store.takeCommand(command.id, forgetAt)) return undefined;
      return { why: 'replayed', detail: 'this id was used before' };
    } catch (fault) {
      this.options.log.error({ event: 'command.store-failed', command: command.id, err: fault });
      // What only takes away is done all the same: a full disk must not keep a call alive. Twice does no harm.
      if (command.type === 'cutoff' || command.type === 'do-not-call') return undefined;
      return { why: 'store-failed', detail: 'the disk cannot take it' };
    }
  }

  private async perform(command: Command): Promise<CommandResult> {
    try {
      return await this.options.onCommand(command);
    } catch (fault) {
      this.options.log.error({ event: 'command.fault', command: command.id, err: fault });
      return { outcome: 'failed', why: 'fault', detail: fault instanceof Error ? fault.message : String(fault) };
    }
  }

  private refuse(refusal: CommandRefusal): void {
    const { id, why, detail } = refusal;
    this.options.log.warn({ event: 'command.refused', command: id, why, detail });
    this.answer({ id: id ?? 'unreadable', state: 'refused', why, detail });
    const nowNs = this.options.clock.monotonicNs();
    if (nowNs - this.minute.beganNs > MINUTE_NS) {
      this.minute = { beganNs: nowNs, alarms: 0, suppressed: this.minute.suppressed };
    }
    if (this.minute.alarms >= ALARMS_A_MINUTE) {
      this.minute.suppressed += 1;
      return;
    }
    const { suppressed } = this.minute;
    const data = {
      message: `A command was refused: ${detail}.`,
      why,
      ...(id === undefined ? {} : { command: id }),
      ...(suppressed === 0 ? {} : { suppressed }),
    };
    try {
      this.options.store.append([{ kind: 'alarm', type: 'balise.command.refused', data }]);
      this.minute = { ...this.minute, alarms: this.minute.alarms + 1, suppressed: 0 };
    } catch (fault) {
      this.options.log.error({ event: 'command.alarm-failed', err: fault });
    }
  }

  private answer(ack: Omit<CommandAck, 'gateway' | 'at'>): void {
    const { gatewayId, clock } = this.options;
    this.options.acknowledge({ ...ack, gateway: gatewayId, at: clock.wall().toString() });
  }
}

/** The commands that are for the house; the uplink does the others itself. */
export type HouseCommand = CutoffCommand | ReleaseCommand | DoNotCallCommand | WarrantCommand;
