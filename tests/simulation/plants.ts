import type { Judge } from '../../gateway/calls/judge.js';
import type { CallStore, LinePlane, MediaPlane, SignallingPlane } from '../../gateway/calls/ports.js';
import type { LegName } from '../../gateway/calls/record.js';

/** What the gateway's calls are joined to. */
export interface Ports {
  readonly judge: Judge;
  readonly store: CallStore;
  readonly signalling: SignallingPlane;
  readonly media: MediaPlane;
  readonly line: LinePlane;
}

/** A fault that is planted to see whether the simulator finds it; in the joints, never in the program. */
export interface Plant {
  readonly what: string;
  readonly ports?: (ports: Ports) => Partial<Ports>;
  readonly byeLegs?: readonly LegName[];
}

export const PLANTS: Readonly<Record<string, Plant>> = {
  'restart-forgets-deadline': {
    what: 'a restart forgets the calls that had a deadline',
    ports: ({ store }) => ({
      store: bound(store, { openCalls: () => store.openCalls().filter(({ deadline }) => deadline === undefined) }),
    }),
  },
  'bye-to-one-leg': {
    what: 'a release sends its BYE to the handset alone',
    byeLegs: ['handset'],
  },
  'late-deadline': {
    what: 'the relay is armed with a deadline five seconds late',
    ports: ({ media }) => ({
      media: bound(media, {
        arm: (call, deadline, warningsS) =>
          media.arm(call, { ...deadline, monotonicNs: deadline.monotonicNs + 5_000_000_000n }, warningsS),
      }),
    }),
  },
  'commit-skipped': {
    what: 'the deadline never reaches the disk',
    ports: ({ store }) => ({ store: bound(store, { commitDeadline: () => undefined }) }),
  },
  'stale-clock': {
    what: 'a clock that is not believed is believed',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => judge.judge(request, { ...facts, clock: { trusted: true } }, at, usage),
      },
    }),
  },
  'close-forgotten': {
    what: 'one order in twenty to close the relay is lost, and answered all the same',
    ports: ({ media }) => {
      let orders = 0;
      return {
        media: bound(media, {
          close: (call) => {
            orders += 1;
            if (orders % 20 !== 0) media.close(call);
          },
        }),
      };
    },
  },
};

/** A port with some of its methods replaced. */
function bound<T extends object>(port: T, methods: Partial<T>): T {
  return new Proxy(port, {
    get: (target, name, receiver) =>
      name in methods ? methods[name as keyof T] : (Reflect.get(target, name, receiver) as unknown),
  });
}
