import { Calls } from '../../gateway/calls/calls.js';
import { policyJudge } from '../../gateway/calls/policy-judge.js';
import type { CallStore, LinePlane, MediaPlane, SignallingPlane } from '../../gateway/calls/ports.js';
import type { Clock } from '../../gateway/clock/clock.js';
import type { CompiledPolicy } from '../../gateway/policy/policy.js';
import type { OutboxSource } from '../../gateway/uplink/drain.js';
import type { Life } from './life.js';
import type { Plant, Ports } from './plants.js';
import type { SimLine } from './sim-line.js';
import type { SimMedia } from './sim-media.js';
import type { SimSignalling } from './sim-signalling.js';
import type { SimStore } from './sim-store.js';
import type { Watch } from './watch.js';

export interface Surroundings {
  readonly store: SimStore;
  readonly signalling: SimSignalling;
  readonly media: SimMedia;
  readonly line: SimLine;
  readonly watch: Watch;
  readonly policy: () => CompiledPolicy;
  readonly plant: Plant | undefined;
}

const SILENT_LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The production calls, joined to the simulated world for one life of the process. */
export function bringUp(life: Life, clock: Clock, bootId: string, around: Surroundings): Calls {
  const ports = portsOf(life, around);
  const planted = { ...ports, ...around.plant?.ports?.(ports) };
  return new Calls({
    ...planted,
    clock,
    bootId,
    observer: { handset: () => undefined, ended: () => undefined, cutoff: () => undefined },
    numberToken: () => 'token',
    log: SILENT_LOG,
    clockLookMs: 30_000,
  });
}

/** The outbox as this life reads it. */
export function outboxOf(life: Life, store: SimStore): OutboxSource {
  return {
    pending: (after, limit) => life.point(() => store.pending(after, limit)),
    acknowledge: (sequences) => life.point(() => store.acknowledge(sequences)),
  };
}

/** Every order and every transaction is a point at which the process may die. */
function portsOf(life: Life, { store, signalling, media, line, watch, policy }: Surroundings): Ports {
  const at = <T>(work: () => T): T => life.point(work);
  const disk: CallStore = {
    open: (request, grant) =>
      at(() => {
        watch.granted(request, grant);
        store.open(request, grant);
      }),
    saveDialog: (call, dialog) => at(() => store.saveDialog(call, dialog)),
    commitDeadline: (call, answeredAt, deadline, dialogs) =>
      at(() => store.commitDeadline(call, answeredAt, deadline, dialogs)),
    record: (record, events) => at(() => store.record(record, events)),
    openCalls: () => store.openCalls(),
    usage: (handset, number, dayStart) => store.usage(handset, number, dayStart),
    lockdowns: () => store.lockdowns(),
    setLockdown: (id, lockdown, events) => at(() => store.setLockdown(id, lockdown, events)),
    releaseLockdown: (target, events) => at(() => store.releaseLockdown(target, events)),
    append: (events) => at(() => store.append(events)),
    hasRoom: () => store.hasRoom(),
    newestInstant: () => store.newestInstant(),
  };
  const sip: SignallingPlane = {
    ring: () => at(() => signalling.ring()),
    dial: (call, order) => at(() => signalling.dial(call, order)),
    accept: (call) => at(() => signalling.accept(call)),
    refuse: (call) => at(() => signalling.refuse(call)),
    arm: (call, deadline) => at(() => signalling.arm(call, deadline)),
    release: (call) => at(() => signalling.release(call)),
    endFromJournal: (dialogs) => at(() => signalling.endFromJournal(dialogs)),
  };
  const relay: MediaPlane = {
    open: (call, order) => at(() => media.open(call, order)),
    connect: (call, sdp, final) => at(() => media.connect(call, sdp, final)),
    arm: (call, deadline) => at(() => media.arm(call, deadline)),
    close: (call) => at(() => media.close(call)),
  };
  const wire: LinePlane = {
    facts: (handset) => line.facts(handset),
    arm: (call, handset, deadline) => at(() => line.arm(call, handset, deadline)),
    cut: (call, handset, holdMs) => at(() => line.cut(call, handset, holdMs)),
    release: (call, handset) => at(() => line.release(call, handset)),
    setLockdowns: (lockdowns) => at(() => line.setLockdowns(lockdowns)),
    endHolds: (target) => at(() => line.endHolds(target)),
  };
  return { judge: policyJudge(policy), store: disk, signalling: sip, media: relay, line: wire };
}
