import type { Deadline } from '../../gateway/clock/deadline.js';
import { callId } from '../../gateway/policy/ids.js';
import { bound, everyNth, later, type Plants } from './plant.js';

/** Faults in what holds a deadline, a stream, a leg or a relay. */
export const PLANTS_OF_PLANES: Plants = {
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
  'keyed-leg-kept': {
    what: 'of a call that was keyed on a card, the handset that we called gets no BYE',
    breaks: 'both legs are told',
    keyedByeLegs: ['trunk'],
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
  'window-overrun': {
    what: 'a call that has less than three minutes to the end of its window gets ninety seconds more',
    breaks: 'no talk outside any window',
    ports: ({ store, media, signalling, line }, { leftMs }) => {
      const more = (deadline: Deadline): Deadline =>
        leftMs(deadline) < 180_000 ? later(deadline, 90_000_000_000n) : deadline;
      return {
        store: bound(store, {
          commitDeadline: (call, answeredAt, deadline, ...rest) =>
            store.commitDeadline(call, answeredAt, more(deadline), ...rest),
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
  'cutoff-lingers': {
    what: 'the relay is closed a third of a second after the order',
    breaks: 'a cutoff silences at once',
    ports: ({ media }, tools) => ({
      media: bound(media, { close: (call) => tools.later(300, () => media.close(call)) }),
    }),
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
};
