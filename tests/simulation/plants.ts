import type { Judge } from '../../gateway/calls/judge.js';
import type { CallStore, LinePlane, MediaPlane, SignallingPlane } from '../../gateway/calls/ports.js';
import type { LegName } from '../../gateway/calls/record.js';
import type { Deadline } from '../../gateway/clock/deadline.js';
import { callId, type E164, handsetId } from '../../gateway/policy/ids.js';
import { UNUSED } from '../../gateway/policy/request.js';
import { ZoneClock } from '../../gateway/policy/zone-clock.js';
import type { CommandStore } from '../../gateway/uplink/command-desk.js';
import type { OutboxSource } from '../../gateway/uplink/drain.js';
import type { PromiseName } from './breach.js';
import { SITE_ZONE } from './sim-site.js';
import type { DiskPlant } from './sim-store.js';

/** What the gateway's calls are joined to. */
export interface Ports {
  readonly judge: Judge;
  readonly store: CallStore;
  readonly signalling: SignallingPlane;
  readonly media: MediaPlane;
  readonly line: LinePlane;
}

export interface PlantTools {
  /** Runs something later in virtual time. */
  readonly later: (ms: number, run: () => void) => void;
  /** Milliseconds left until a deadline. */
  readonly leftMs: (deadline: Deadline) => number;
  readonly numberOfLife: number;
}

/** A fault that is planted to see whether the simulator finds it; in the joints, never in the program. */
export interface Plant {
  readonly what: string;
  /** The promise that it breaks first. */
  readonly breaks: PromiseName;
  readonly ports?: (ports: Ports, tools: PlantTools) => Partial<Ports>;
  readonly outbox?: (outbox: OutboxSource) => OutboxSource;
  readonly commands?: (store: CommandStore) => CommandStore;
  /** Legs that get a BYE when a call is released. */
  readonly byeLegs?: readonly LegName[];
  readonly disk?: DiskPlant;
  /** The relay does not obey its own deadline. */
  readonly deafRelay?: boolean;
  /** A coil opens by order alone, and not when its lease ends; with the whole line plane only. */
  readonly stuckCoil?: boolean;
  /** Every order is believed, whoever signed it. */
  readonly believesOrders?: boolean;
  /** What numbers have said is never asked. */
  readonly deafToWords?: boolean;
  /** Live calls are not judged again when a bundle comes. */
  readonly deafToBundles?: boolean;
}

const HOUR_MS = 3_600_000;
const FIVE_S = 5_000_000_000n;
const later = (deadline: Deadline, ns = FIVE_S): Deadline => ({
  ...deadline,
  monotonicNs: deadline.monotonicNs + ns,
  wall: deadline.wall.add({ nanoseconds: Number(ns) }),
});
/** True at every nth time of asking. */
const everyNth = (n: number): (() => boolean) => {
  let times = 0;
  return () => {
    times += 1;
    return times % n === 0;
  };
};

/** Each by its name; at least one breaks each of the promises. */
export const PLANTS: Readonly<Record<string, Plant>> = {
  'restart-forgets-deadline': {
    what: 'a restart forgets the calls that had a deadline',
    breaks: 'no call without a record',
    ports: ({ store }) => ({
      store: bound(store, { openCalls: () => store.openCalls().filter(({ deadline }) => deadline === undefined) }),
    }),
  },
  'never-comes-back': {
    what: 'no second start can read the journal',
    breaks: 'the gateway comes back',
    ports: ({ store }, { numberOfLife }) => ({
      store: bound(store, {
        openCalls: () => {
          if (numberOfLife > 1) throw new Error('disk I/O error');
          return store.openCalls();
        },
      }),
    }),
  },
  'facts-throw': {
    what: 'one look in a hundred at a line throws',
    breaks: 'nothing is thrown out of the gateway',
    ports: ({ line }) => {
      const throws = everyNth(100);
      return {
        line: bound(line, {
          facts: (handset) => {
            if (throws()) throw new Error('no such line');
            return line.facts(handset);
          },
        }),
      };
    },
  },
  'bye-to-one-leg': {
    what: 'a release sends its BYE to the handset alone',
    breaks: 'both legs are told',
    byeLegs: ['handset'],
  },
  'late-deadline': {
    what: 'the relay is armed with a deadline five seconds late',
    breaks: 'no media past the committed deadline',
    ports: ({ media }) => ({
      media: bound(media, { arm: (call, deadline, warningsS) => media.arm(call, later(deadline), warningsS) }),
    }),
  },
  'deaf-relay': {
    what: 'the relay forwards for five seconds after its deadline',
    breaks: 'no media after the deadline',
    deafRelay: true,
  },
  'deadline-grows': {
    what: 'the relay is armed with an early deadline, and again with the right one',
    breaks: 'a deadline never moves away',
    ports: ({ media }) => ({
      media: bound(media, {
        arm: (call, deadline, warningsS) => {
          media.arm(call, later(deadline, -1_000_000_000n), warningsS);
          media.arm(call, deadline, warningsS);
        },
      }),
    }),
  },
  'lease-outlives-deadline': {
    what: 'the line plane is armed with a deadline five seconds late, so that a lease reaches past it',
    breaks: 'no relay closed past its last lease',
    ports: ({ line }) => ({
      line: bound(line, { arm: (call, handset, deadline) => line.arm(call, handset, later(deadline)) }),
    }),
  },
  'coil-stuck': {
    what: 'with --wire: a coil opens by order alone, and not when its lease ends',
    breaks: 'no relay closed past its last lease',
    stuckCoil: true,
  },
  'engine-late': {
    what: 'the SIP engine is armed with a deadline five seconds late',
    breaks: 'the engine ends both legs by itself',
    ports: ({ signalling }) => ({
      signalling: bound(signalling, { arm: (call, deadline) => signalling.arm(call, later(deadline)) }),
    }),
  },
  'commit-skipped': {
    what: 'the deadline never reaches the disk',
    breaks: 'no talk without a committed deadline',
    ports: ({ store }) => ({ store: bound(store, { commitDeadline: () => undefined }) }),
  },
  'talk-doubled': {
    what: 'a call may talk twice as long as its profile says',
    breaks: 'no talk beyond the most',
    ports: ({ judge }) => ({
      judge: {
        judge: (...asked) => {
          const decision = judge.judge(...asked);
          return decision.outcome === 'grant' ? { ...decision, maxTalkMs: decision.maxTalkMs * 2 } : decision;
        },
      },
    }),
  },
  'window-overrun': {
    what: 'a call that has less than three minutes to the end of its window gets ninety seconds more',
    breaks: 'no talk outside any window',
    ports: ({ store, media, signalling, line }, { leftMs }) => {
      const more = (deadline: Deadline): Deadline =>
        leftMs(deadline) < 180_000 ? later(deadline, 90_000_000_000n) : deadline;
      return {
        store: bound(store, {
          commitDeadline: (call, answeredAt, deadline, dialogs) =>
            store.commitDeadline(call, answeredAt, more(deadline), dialogs),
        }),
        media: bound(media, { arm: (call, deadline, warningsS) => media.arm(call, more(deadline), warningsS) }),
        signalling: bound(signalling, { arm: (call, deadline) => signalling.arm(call, more(deadline)) }),
        line: bound(line, { arm: (call, handset, deadline) => line.arm(call, handset, more(deadline)) }),
      };
    },
  },
  'ghost-media': {
    what: 'the relay opens a second stream that belongs to no call',
    breaks: 'no media of a call that never was',
    ports: ({ media }) => ({
      media: bound(media, {
        open: (call, order) => {
          media.open(call, order);
          media.open(callId(`${call}-ghost`), order);
        },
        arm: (call, deadline, warningsS) => {
          media.arm(call, deadline, warningsS);
          media.arm(callId(`${call}-ghost`), deadline, warningsS);
        },
      }),
    }),
  },
  'stale-clock': {
    what: 'a clock that is not believed is believed',
    breaks: 'no grant by a wrong clock',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => judge.judge(request, { ...facts, clock: { trusted: true } }, at, usage),
      },
    }),
  },
  'hour-late': {
    what: 'a window that closed within the hour counts as open',
    breaks: 'no grant outside any window',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => {
          const decision = judge.judge(request, facts, at, usage);
          if (decision.outcome === 'grant' || !decision.rule.startsWith('window.')) return decision;
          const before = judge.judge(request, facts, at.subtract({ hours: 1 }), usage);
          if (before.outcome !== 'grant') return decision;
          return { ...before, notAfter: before.notAfter.add({ hours: 1 }) };
        },
      },
    }),
  },
  'wide-night': {
    what: 'on the night the clocks go back, a window that has closed is open again in the hour that comes twice',
    breaks: 'no grant outside any window',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => {
          const decision = judge.judge(request, facts, at, usage);
          if (decision.outcome === 'grant' || !decision.rule.startsWith('window.')) return decision;
          const clock = ZoneClock.of(SITE_ZONE);
          const ms = at.epochMilliseconds;
          if (clock.offsetAt(ms - HOUR_MS) <= clock.offsetAt(ms)) return decision;
          const before = judge.judge(request, facts, at.subtract({ hours: 1 }), usage);
          if (before.outcome !== 'grant') return decision;
          return { ...before, notAfter: before.notAfter.add({ hours: 1 }) };
        },
      },
    }),
  },
  'stranger-served': {
    what: 'a handset that policy does not know is judged as one that it knows',
    breaks: 'no unknown handset',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => {
          if (!request.handset.startsWith('stranger')) return judge.judge(request, facts, at, usage);
          const line = { fitted: true, hook: 'off', supervised: true, relay: 'connected' } as const;
          return judge.judge({ ...request, handset: handsetId('a-101') }, { ...facts, line }, at, usage);
        },
      },
    }),
  },
  'usage-forgotten': {
    what: 'what has been used so far is never counted',
    breaks: 'no more than the quota of the day',
    ports: ({ store }) => ({
      store: bound(store, {
        used: (subject, sinceMs) => (subject.kind === 'number' ? store : UNUSED).used(subject, sinceMs),
      }),
    }),
  },
  'callee-forgotten': {
    what: 'how often a number was tried is never counted',
    breaks: 'no number tried too often',
    ports: ({ store }) => ({
      store: bound(store, {
        used: (subject, sinceMs) => (subject.kind === 'number' ? UNUSED : store).used(subject, sinceMs),
      }),
    }),
  },
  'word-unheard': {
    what: 'numbers that asked not to be called are kept, and never looked up',
    breaks: 'nobody called who asked not to be',
    deafToWords: true,
  },
  'list-ageless': {
    what: 'a national list passes for new, however old it is',
    breaks: 'nobody called who asked not to be',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => {
          const decision = judge.judge(request, facts, at, usage);
          if (decision.outcome === 'grant' || decision.rule !== 'dnc.stale') return decision;
          const earlier = judge.judge(request, facts, at.subtract({ hours: 96 }), usage);
          return earlier.outcome === 'grant' ? { ...earlier, notAfter: at.add({ minutes: 1 }) } : decision;
        },
      },
    }),
  },
  'bundle-unheard': {
    what: 'live calls are not judged again when a new bundle comes',
    breaks: 'a live call ends where a new bundle ends it',
    deafToBundles: true,
  },
  'block-ignored': {
    what: 'a number on a block list is judged as another one',
    breaks: 'no number that is not sanctioned',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => {
          const decision = judge.judge(request, facts, at, usage);
          if (decision.outcome === 'grant' || decision.rule !== 'number.blocked') return decision;
          const other = judge.judge({ ...request, dialled: '+442079460012' }, facts, at, usage);
          return other.outcome === 'grant' ? { ...other, number: request.dialled as E164 } : decision;
        },
      },
    }),
  },
  'holiday-ignored': {
    what: 'a holiday where the callee is counts as any other day',
    breaks: 'no grant outside any window',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => {
          const decision = judge.judge(request, facts, at, usage);
          if (decision.outcome === 'grant' || decision.rule !== 'holiday.callee') return decision;
          const before = judge.judge(request, facts, at.subtract({ hours: 168 }), usage);
          return before.outcome === 'grant' ? { ...before, notAfter: at.add({ minutes: 1 }) } : decision;
        },
      },
    }),
  },
  'lockdown-ignored': {
    what: 'policy is not told of the lockdowns',
    breaks: 'no grant in a lockdown',
    ports: ({ judge }) => ({
      judge: { judge: (request, facts, at, usage) => judge.judge(request, { ...facts, lockdowns: [] }, at, usage) },
    }),
  },
  'release-forgotten': {
    what: 'a lockdown that is released stays on the disk',
    breaks: 'no refusal without its reason',
    ports: ({ store }) => ({ store: bound(store, { releaseLockdown: (_, events) => store.append(events) }) }),
  },
  'cutoff-lingers': {
    what: 'the relay is closed a third of a second after the order',
    breaks: 'a cutoff silences at once',
    ports: ({ media }, tools) => ({
      media: bound(media, { close: (call) => tools.later(300, () => media.close(call)) }),
    }),
  },
  'forged-order-obeyed': {
    what: 'orders are obeyed whoever signed them',
    breaks: 'no forged order obeyed',
    believesOrders: true,
  },
  'replay-obeyed': {
    what: 'the disk does not remember the orders that it has taken',
    breaks: 'no forged order obeyed',
    commands: (store) => bound(store, { takeCommand: () => true }),
  },
  'order-unheard': {
    what: 'every order passes for one that was seen before',
    breaks: 'a genuine order is obeyed',
    commands: (store) => bound(store, { takeCommand: () => false }),
  },
  'close-forgotten': {
    what: 'one order in twenty to close the relay is lost, and answered all the same',
    breaks: 'every plane released',
    ports: ({ media }) => {
      const isLost = everyNth(20);
      return {
        media: bound(media, {
          close: (call) => {
            if (!isLost()) media.close(call);
          },
        }),
      };
    },
  },
  'record-twice': {
    what: 'a record and the end of its journal entry are two transactions, and the disk keeps no count of records',
    breaks: 'no record twice',
    disk: 'splits-record',
  },
  'journal-kept': {
    what: 'a record leaves its journal entry open',
    breaks: 'no call open in the journal for ever',
    disk: 'keeps-journal',
  },
  'ghost-record': {
    what: 'a record is written of a call that nobody asked for',
    breaks: 'no record of a call that never was',
    ports: ({ store }) => ({
      store: bound(store, {
        record: (record, events) => {
          store.record(record, events);
          store.record({ ...record, call: callId(`${record.call}-ghost`) }, events);
        },
      }),
    }),
  },
  'refusal-unrecorded': {
    what: 'one refusal in fifty is not written down',
    breaks: 'no call without a record',
    ports: ({ store }) => {
      const isLost = everyNth(50);
      return {
        store: bound(store, {
          record: (record, events) => {
            if (record.cause !== 'refused' || !isLost()) store.record(record, events);
          },
        }),
      };
    },
  },
  'record-without-event': {
    what: 'a record is written without the event that reports it',
    breaks: 'a record carries its event',
    ports: ({ store }) => ({ store: bound(store, { record: (record) => store.record(record, []) }) }),
  },
  'record-never-confirmed': {
    what: 'the disk takes a record and says each time that it did not',
    breaks: 'nothing of a call stays in memory',
    ports: ({ store }) => ({
      store: bound(store, {
        record: (record, events) => {
          store.record(record, events);
          throw new Error('disk I/O error');
        },
      }),
    }),
  },
  'record-rarely-confirmed': {
    what: 'of one call in ten the disk takes the record and says each time that it did not',
    breaks: 'nothing of a call stays in memory',
    ports: ({ store }) => ({
      store: bound(store, {
        record: (record, events) => {
          store.record(record, events);
          if (record.call.endsWith('7')) throw new Error('disk I/O error');
        },
      }),
    }),
  },
  'outbox-row-lost': {
    what: 'an event is forgotten when it is sent, and its confirmation is lost',
    breaks: 'no event lost',
    outbox: (outbox) =>
      bound(outbox, {
        pending: (after, limit) => {
          const entries = outbox.pending(after, limit);
          if (entries.length > 0) outbox.acknowledge(entries.map(({ sequence }) => sequence));
          return entries;
        },
      }),
  },
  'alarms-unsent': {
    what: 'alarms stay in the outbox',
    breaks: 'no event lost',
    outbox: (outbox) =>
      bound(outbox, {
        pending: (after, limit) => outbox.pending(after, limit).filter(({ kind }) => kind !== 'alarm'),
      }),
  },
  'outbox-backwards': {
    what: 'of several events that wait, the newest is sent first',
    breaks: 'events arrive in order',
    outbox: (outbox) => bound(outbox, { pending: (after, limit) => [...outbox.pending(after, limit)].reverse() }),
  },
  'outbox-never-emptied': {
    what: 'confirmed events stay in the outbox',
    breaks: 'no event kept after its confirmation',
    outbox: (outbox) => bound(outbox, { acknowledge: () => undefined }),
  },
};

export function plantNamed(name: string | undefined): Plant | undefined {
  const plant = name !== undefined && Object.hasOwn(PLANTS, name) ? PLANTS[name] : undefined;
  if (name !== undefined && plant === undefined) throw new Error(`there is no fault "${name}" to plant`);
  return plant;
}

/** A port with some of its methods replaced. */
function bound<T extends object>(port: T, methods: Partial<T>): T {
  return { ...port, ...methods };
}
