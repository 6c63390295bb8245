import { Calls } from '../../gateway/calls/calls.js';
import type { Judge } from '../../gateway/calls/judge.js';
import { policyJudge } from '../../gateway/calls/policy-judge.js';
import type { CallStore, LinePlane, MediaPlane, SignallingPlane } from '../../gateway/calls/ports.js';
import type { Clock } from '../../gateway/clock/clock.js';
import type { ContactStore } from '../../gateway/do-not-call/own-list.js';
import { decideDesk } from '../../gateway/policy/desk.js';
import type { CallId, E164, HandsetId } from '../../gateway/policy/ids.js';
import type { CompiledPolicy } from '../../gateway/policy/policy.js';
import type { DoNotCallLists } from '../../gateway/policy/request.js';
import type { CommandStore } from '../../gateway/uplink/command-desk.js';
import type { OutboxSource } from '../../gateway/uplink/drain.js';
import type { Life } from './life.js';
import type { PlaneWatch } from './plane-watch.js';
import type { Plant, PlantTools, Ports } from './plant.js';
import type { SimMedia } from './sim-media.js';
import type { SimSignalling } from './sim-signalling.js';
import type { SimStore } from './sim-store.js';
import type { Watch } from './watch.js';
import type { WorkLife } from './work-life.js';

export interface Surroundings {
  readonly store: SimStore;
  readonly signalling: SimSignalling;
  readonly media: SimMedia;
  readonly watch: Watch;
  readonly planes: PlaneWatch;
  readonly policy: () => CompiledPolicy;
  readonly doNotCall: DoNotCallLists;
  readonly numberToken: (number: E164) => string;
  readonly plant: Plant | undefined;
  readonly work: WorkLife | undefined;
  /** A contact has answered at a handset. */
  readonly talking: (handset: HandsetId, call: CallId) => void;
  readonly tools: PlantTools;
}

/** How long the disk takes for an fsync, one commit after the other, milliseconds: others end their calls meanwhile, are cut, or the power fails. */
const SYNC_MS = [1, 0, 30, 3, 400];

const SILENT_LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The production calls, joined to the simulated world for one life of the process. */
export function bringUp(life: Life, clock: Clock, bootId: string, line: LinePlane, around: Surroundings): Calls {
  const { plant, tools, watch, numberToken } = around;
  const ports = portsOf(life, clock, line, around);
  const planted = { ...ports, ...plant?.ports?.(ports, tools) };
  const { work } = around;
  const judge = work?.judge(planted.judge) ?? planted.judge;
  return new Calls({
    ...planted,
    judge: {
      judge: (request, facts, at, usage) => {
        const decision = judge.judge(request, facts, at, usage);
        watch.judged(request, decision);
        return decision;
      },
    },
    clock,
    bootId,
    ...(work !== undefined && { contacts: work.numbers }),
    observer: {
      handset: (handset, phase, detail) => {
        work?.observer.handset(handset, phase, detail);
        if (phase === 'talking' && work?.places.contactCallOf(handset) === detail.call)
          around.talking(handset, detail.call);
      },
      ended: (record) => work?.observer.ended(record),
      cutoff: () => undefined,
    },
    announcement: () => ({ language: 'nl', pieces: ['refused.window-site'] }),
    numberToken,
    log: SILENT_LOG,
    clockLookMs: 30_000,
  });
}

/** The outbox as this life reads it. */
export function outboxOf(life: Life, store: SimStore, plant: Plant | undefined): OutboxSource {
  const outbox: OutboxSource = {
    pending: (after, limit) => life.point(() => store.pending(after, limit)),
    acknowledge: (sequences) => life.point(() => store.acknowledge(sequences)),
  };
  return plant?.outbox?.(outbox) ?? outbox;
}

/** The disk as the command desk of this life uses it. */
export function commandsOf(life: Life, store: SimStore, plant: Plant | undefined): CommandStore {
  const commands: CommandStore = {
    takeCommand: (id, forgetAt) => life.point(() => store.takeCommand(id, forgetAt)),
    append: (events) => life.point(() => store.append(events)),
  };
  return plant?.commands?.(commands) ?? commands;
}

/** The disk as the gateway's own do-not-call list of this life uses it. */
export function contactsOf(life: Life, store: SimStore): ContactStore {
  return {
    contactMarks: () => store.contactMarks(),
    addContactMarks: (marks, events) => life.point(() => store.addContactMarks(marks, events)),
  };
}

/** Every order and every transaction is a point at which the process may die. */
function portsOf(
  life: Life,
  clock: Clock,
  line: LinePlane,
  { store, signalling, media, watch, planes, policy, doNotCall }: Surroundings,
): Ports {
  const at = <T>(about: string, what: string, work: () => T): T =>
    life.point(() => {
      watch.note(about, what);
      return work();
    });
  let commits = 0;
  const disk: CallStore = {
    open: (request, grant) =>
      at(request.call, 'journal', () => {
        watch.granted(request, grant);
        store.open(request, grant);
      }),
    // One leg after the other: a process that may die between the two is the harder case.
    saveDialogs: (call, dialogs) => {
      for (const dialog of dialogs) at(call, `journal the ${dialog.leg} leg`, () => store.saveDialogs(call, [dialog]));
    },
    commitDeadline: (call, answeredAt, deadline, dialogs, done) => {
      const ms = SYNC_MS[commits % SYNC_MS.length] ?? 0;
      commits += 1;
      const synced = (durable: () => void): void => {
        at(call, 'commit the deadline', durable);
        const entry = store.entry(call);
        if (entry !== undefined) planes.committed(call, entry.request.handset, deadline);
        done();
      };
      at(call, 'write the deadline', () =>
        store.commitDeadline(call, answeredAt, deadline, dialogs, (durable) => {
          if (ms === 0) synced(durable);
          else clock.after(ms, () => synced(durable));
        }),
      );
    },
    record: (record, events) => at(record.call, 'record', () => store.record(record, events)),
    openCalls: () => store.openCalls(),
    used: (subject, sinceMs) => store.used(subject, sinceMs),
    callsSince: (subject, sinceMs) => store.callsSince(subject, sinceMs),
    lockdowns: () => store.lockdowns(),
    setLockdown: (id, lockdown, events) => at(id, 'write a lockdown', () => store.setLockdown(id, lockdown, events)),
    releaseLockdown: (target, events) => at('', 'lift a lockdown', () => store.releaseLockdown(target, events)),
    append: (events) => at('', 'append an event', () => store.append(events)),
    hasRoom: () => store.hasRoom(),
    newestInstant: () => store.newestInstant(),
  };
  const sip: SignallingPlane = {
    answerDesk: (call) => at(call, 'answer at the desk', () => signalling.answerDesk(call)),
    callHandset: (call, handset) => at(call, 'call the handset', () => signalling.callHandset(call, handset)),
    ring: (call) => at(call, 'ring', () => signalling.ring()),
    early: (call) => at(call, 'speak to the handset', () => undefined),
    dial: (call, order) => at(call, 'dial', () => signalling.dial(call, order)),
    accept: (call) => at(call, 'accept', () => signalling.accept(call)),
    refuse: (call) => at(call, 'refuse', () => signalling.refuse(call)),
    arm: (call, deadline) => at(call, 'arm the engine', () => signalling.arm(call, deadline)),
    release: (call) => at(call, 'release the legs', () => signalling.release(call)),
    endFromJournal: (dialogs) => at('', 'end legs of before', () => signalling.endFromJournal(dialogs)),
  };
  const relay: MediaPlane = {
    open: (call, order) => at(call, 'open the relay', () => media.open(call, order)),
    announce: (call) => at(call, 'announce', () => media.announce(call)),
    connect: (call, sdp, final) => at(call, 'connect the relay', () => media.connect(call, sdp, final)),
    arm: (call, deadline) => at(call, 'arm the relay', () => media.arm(call, deadline)),
    close: (call) => at(call, 'close the relay', () => media.close(call)),
  };
  const wire: LinePlane = {
    facts: (handset) => line.facts(handset),
    arm: (call, handset, deadline) => at(call, 'arm the line', () => line.arm(call, handset, deadline)),
    cut: (call, handset, holdMs) => at(call, 'cut the line', () => line.cut(call, handset, holdMs)),
    release: (call, handset) => at(call, 'release the line', () => line.release(call, handset)),
    setLockdowns: (lockdowns) => at('', `${lockdowns.length} lockdowns`, () => line.setLockdowns(lockdowns)),
    endHolds: (target) => at('', 'end holds', () => line.endHolds(target)),
  };
  const judged = policyJudge(policy);
  const judge: Judge = {
    judge: (request, facts, at, usage) =>
      request.desk === true
        ? decideDesk(policy(), facts, request, at)
        : judged.judge(request, { ...facts, doNotCall }, at, usage),
  };
  return { judge, store: disk, signalling: sip, media: relay, line: wire };
}
