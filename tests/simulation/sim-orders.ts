import { generateKeyPairSync, sign } from 'node:crypto';
import type {
  Command,
  CommandAck,
  CutoffCommand,
  DoNotCallCommand,
  Ed25519PublicKey,
  ReleaseCommand,
} from '../../config/schema/types.generated.js';
import type { Calls } from '../../gateway/calls/calls.js';
import type { CutoffOrder } from '../../gateway/calls/ports.js';
import type { Clock } from '../../gateway/clock/clock.js';
import type { OwnList } from '../../gateway/do-not-call/own-list.js';
import { runHouseCommand } from '../../gateway/house-commands.js';
import type { E164 } from '../../gateway/policy/ids.js';
import { NumberReader } from '../../gateway/policy/number.js';
import type { Lockdown } from '../../gateway/policy/request.js';
import {
  CommandDesk,
  type CommandResult,
  type CommandStore,
  type HouseCommand,
} from '../../gateway/uplink/command-desk.js';
import { cutoffOrders, lockdownTarget } from '../../gateway/uplink/cutoff-order.js';
import { Dead, type Life } from './life.js';
import type { ListWatch } from './list-watch.js';
import type { LockdownWatch } from './lockdown-watch.js';
import type { MachineClock } from './machine-clock.js';
import type { Random } from './random.js';
import type { SimBroker } from './sim-broker.js';
import type { SimMedia } from './sim-media.js';
import type { SimSite } from './sim-site.js';
import type { SimStore } from './sim-store.js';
import { SECOND_US, type Timeline } from './timeline.js';
import type { Watch } from './watch.js';

export const GATEWAY_ID = 'simulated/gw-1';

/** What somebody sends who is not headquarters, or sends it too late. Each must be refused. */
export const FORGERIES = ['unsigned', 'other-key', 'altered', 'foreign', 'expired', 'long-lived', 'replayed'] as const;
type Forgery = (typeof FORGERIES)[number];

/** What of the world orders touch. */
export interface OrderedWorld {
  readonly random: Random;
  readonly timeline: Timeline;
  readonly clock: MachineClock;
  readonly site: SimSite;
  readonly store: SimStore;
  readonly media: SimMedia;
  readonly broker: SimBroker;
  readonly watch: Watch;
  readonly lockdowns: LockdownWatch;
  readonly lists: ListWatch;
  /** The gateway's own do-not-call list, of its life of now. */
  readonly ownList: OwnList;
  readonly gateway: { readonly calls: Calls } | undefined;
  track<T>(work: Promise<T>): Promise<T>;
}

interface Sent {
  readonly payload: Buffer;
  readonly command: Command;
  /** Absent: headquarters sent it. */
  readonly forgery?: Forgery;
}

interface Key {
  readonly jwk: Ed25519PublicKey;
  readonly sign: (command: object) => Buffer;
}

function newKey(): Key {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const kid = 'hq-1';
  const head = Buffer.from(JSON.stringify({ alg: 'EdDSA', kid })).toString('base64url');
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid } as unknown as Ed25519PublicKey,
    sign: (command) => {
      const text = `${head}.${Buffer.from(JSON.stringify(command)).toString('base64url')}`;
      return Buffer.from(`${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`);
    },
  };
}

// What is signed differs from run to run; nothing that happens does.
const KEY = newKey();
const OTHER = newKey();

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Headquarters' orders, and those of somebody else: over the broker to the production command desk, gate and cutoff. */
export class SimOrders {
  /** A planted fault: whatever comes is believed. */
  believesAll = false;
  private made = 0;
  private readonly numbers = new NumberReader('BE');
  private last: Sent | undefined;
  private queue: { readonly sent: Sent; readonly life: Life; readonly take: (payload: Uint8Array) => Promise<void> }[] =
    [];
  private current: Sent | undefined;
  private answered: (() => void) | undefined;
  /** Orders that the gateway has carried out, and its disk remembers. */
  private readonly done = new Set<string>();
  private desk: { readonly life: Life; readonly take: (payload: Uint8Array) => Promise<void> } | undefined;

  constructor(
    private readonly world: OrderedWorld,
    private readonly numberToken: (number: E164) => string,
  ) {}

  /** An order has arrived that nobody has judged. */
  get isWaiting(): boolean {
    return this.queue.length > 0;
  }

  /** A new life of the gateway takes orders. */
  connect(life: Life, clock: Clock, calls: Calls, store: CommandStore): void {
    const desk = new CommandDesk({
      keys: [KEY.jwk],
      gatewayId: GATEWAY_ID,
      clock,
      store,
      acknowledge: (ack) => this.acknowledged(life, ack),
      onCommand: (command) => this.perform(life, calls, command as HouseCommand),
      log: SILENT,
    });
    this.desk = { life, take: (payload) => desk.take(payload) };
  }

  /** Headquarters orders. One order in five is overheard on its way, and sent again while it is fresh. */
  send(
    order:
      | Pick<CutoffCommand, 'type' | 'target' | 'hold'>
      | Pick<ReleaseCommand, 'type' | 'target'>
      | Pick<DoNotCallCommand, 'type' | 'numbers' | 'numberTokens'>,
  ): void {
    const command = { ...this.header(), ...order, reason: 'drill', by: 'headquarters' } as Command;
    const sent: Sent = { command, payload: KEY.sign(command) };
    this.last = sent;
    this.dispatch(sent);
    const { random, timeline } = this.world;
    if (!random.chance(0.2)) return;
    timeline.in(random.int(SECOND_US, 25 * SECOND_US), () => this.dispatch({ ...sent, forgery: 'replayed' }));
  }

  /** Somebody else does, or sends again what headquarters sent. */
  forge(): void {
    const sent = this.forged(this.world.random.pick(FORGERIES));
    if (sent !== undefined) this.dispatch(sent);
  }

  /** Cuts off, by whatever way the order came. */
  cutOff(calls: Calls, life: Life, order: CutoffOrder): Promise<unknown> {
    const { world } = this;
    const { clock, lockdowns, media, store, watch } = world;
    const { target, hold } = order;
    const holdMs = hold === 'until-released' ? Number.POSITIVE_INFINITY : hold;
    const isMeant = ({ handset, call }: { readonly handset: string; readonly call: string }): boolean => {
      if (target.kind === 'site') return true;
      if (target.kind === 'call') return target.call === call;
      const wing = world.site.handsets.get(handset as never)?.wing;
      return target.kind === 'wing' ? target.wing === wing : target.kind === 'handset' && target.handset === handset;
    };
    const meant = calls.live().filter(isMeant);
    if (target.kind !== 'call') lockdowns.ordered(target, clock.trueMs(), holdMs);
    const done = world.track(calls.cutoff(order));
    if (life.isDead) return done;
    // Silence is not waited for: the order has been given to the relay before this returns.
    for (const { call } of meant) if (media.isFlowing(call)) watch.breach('a cutoff silences at once', call, call);
    // A disk that is broken may lose it with the process; a clock that is wrong, end it at another time.
    if (target.kind !== 'call' && !store.isFaulty && clock.wrongMs === 0)
      lockdowns.obeyed(target, clock.trueMs(), holdMs);
    return done;
  }

  /** Lifts a lockdown; false when the gateway could not. */
  release(calls: Calls, target: Lockdown['target']): boolean {
    const { lockdowns } = this.world;
    // The process may die of it with the disk already written: from here on nobody knows.
    lockdowns.released(target, false);
    const done = calls.release(target, 'headquarters');
    if (done) lockdowns.released(target, true);
    return done;
  }

  /**
   * Has the orders judged that have arrived. The verification of a signature runs outside of virtual time: nothing else
   * happens until this settles. One after the other, because an answer does not say which of two copies it is to.
   */
  async work(): Promise<void> {
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      const { sent, life, take } = next;
      if (life.isDead) continue;
      this.current = sent;
      await new Promise<void>((settle) => {
        this.answered = settle;
        if (this.believesAll) this.believe(sent, life, settle);
        else this.world.track(take(sent.payload));
      });
      // What an accepted order does, it begins at once.
      await new Promise<void>((settle) => setImmediate(settle));
      this.current = undefined;
    }
  }

  private header(): { readonly id: string; readonly iat: number; readonly exp: number; readonly gateway: string } {
    this.made += 1;
    const iat = Math.floor(this.world.clock.trueMs() / 1_000);
    return { id: `order-${this.made}`, iat, exp: iat + 30, gateway: GATEWAY_ID };
  }

  private forged(forgery: Forgery): Sent | undefined {
    const header = this.header();
    const order = { type: 'cutoff', target: { kind: 'site' }, hold: 'until-released', reason: 'x', by: 'x' } as const;
    const command = { ...header, ...order } as Command;
    const signed = (more: object): Sent => ({ forgery, command, payload: KEY.sign({ ...command, ...more }) });
    switch (forgery) {
      case 'unsigned':
        return { forgery, command, payload: Buffer.from(JSON.stringify(command)) };
      case 'other-key':
        return { forgery, command, payload: OTHER.sign(command) };
      case 'altered': {
        const harmless = { ...command, target: { kind: 'handset', handset: 'a-101' } };
        const [head, , tail] = KEY.sign(harmless).toString().split('.');
        const body = Buffer.from(JSON.stringify(command)).toString('base64url');
        return { forgery, command, payload: Buffer.from(`${head}.${body}.${tail}`) };
      }
      case 'foreign':
        return signed({ gateway: 'simulated/gw-2' });
      case 'expired':
        return signed({ iat: header.iat - 86_400, exp: header.iat - 86_370 });
      case 'long-lived':
        return signed({ exp: header.iat + 86_400 });
      case 'replayed':
        return this.last === undefined ? undefined : { ...this.last, forgery };
    }
  }

  private dispatch(sent: Sent): void {
    const { broker, watch } = this.world;
    watch.note(sent.command.id, `${sent.forgery ?? 'genuine'} ${sent.command.type} sent`);
    broker.down(() => {
      const { desk } = this;
      desk?.life.run(() => {
        this.queue.push({ sent, ...desk });
      });
    });
  }

  /** The planted fault. */
  private believe(sent: Sent, life: Life, settle: () => void): void {
    const calls = this.world.gateway?.calls;
    if (calls !== undefined)
      this.world.track(this.perform(life, calls, sent.command as HouseCommand)).catch(() => undefined);
    settle();
  }

  private acknowledged(life: Life, { id, state, why }: CommandAck): void {
    const { clock, store, watch, timeline } = this.world;
    const sent = this.current;
    if (state !== 'accepted' && state !== 'refused') return;
    this.answered?.();
    if (life.isDead || sent === undefined) return;
    watch.note(id, `${state}${why === undefined ? '' : `: ${why}`}`);
    const isFresh = sent.command.exp * 1e3 > clock.trueMs();
    const isRight = clock.wrongMs === 0 && timeline.nowUs > clock.doubtedUntilUs && !store.isFaulty;
    if (sent.forgery === undefined && state === 'refused' && isFresh && isRight)
      watch.breach('a genuine order is obeyed', `${id} was refused: ${why}`, id);
  }

  private async perform(life: Life, calls: Calls, command: HouseCommand): Promise<CommandResult> {
    if (life.isDead) throw new Dead();
    const { store, watch } = this.world;
    const forgery = this.current?.forgery;
    // A copy of an order that was never carried out is as good as the first; and a broken disk forgets orders, so that a
    // cutoff is rather done twice than not at all.
    const isFirst = forgery === 'replayed' && (store.isFaulty || !this.done.has(command.id));
    if (forgery !== undefined && !isFirst)
      watch.breach('no forged order obeyed', `${command.id}, ${forgery}`, command.id);
    if (!store.isFaulty) this.done.add(command.id);
    if (command.type === 'release') {
      this.release(calls, lockdownTarget(command.target));
      return { outcome: 'done' };
    }
    if (command.type === 'warrant') return { outcome: 'failed', why: 'warrant.no-recording' };
    if (command.type === 'do-not-call') return this.list(life, calls, command);
    const live = calls.live().flatMap(({ call, number }) => (number === undefined ? [] : [{ call, number }]));
    const orders = cutoffOrders(command, live, this.numberToken);
    await Promise.all(orders.map((order) => this.cutOff(calls, life, order)));
    return { outcome: 'done' };
  }

  private async list(life: Life, calls: Calls, command: DoNotCallCommand): Promise<CommandResult> {
    const { lists, ownList } = this.world;
    const [meant] = command.numbers ?? this.tokened(command);
    if (meant === undefined) throw new Error('an order about nobody');
    lists.telling(meant);
    const offerWarrant = async () => ({ outcome: 'refused', why: 'warrant.no-recording' }) as const;
    const house = { calls, doNotCall: ownList, numbers: this.numbers, numberToken: this.numberToken, offerWarrant };
    const result = await runHouseCommand(command, house);
    if (!life.isDead && result.outcome === 'done') lists.askedNot(meant);
    return result;
  }

  /** Whose token it is. */
  private tokened({ numberTokens = [] }: DoNotCallCommand): readonly string[] {
    return this.world.site.allNumbers.filter((number) => numberTokens.includes(this.numberToken(number as E164)));
  }
}
