import { callId } from '../../gateway/policy/ids.js';
import { bound, everyNth, type Plants } from './plant.js';

/** Faults in what is kept, and in what is sent and obeyed. */
export const PLANTS_OF_DISK: Plants = {
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
  'commit-skipped': {
    what: 'the deadline never reaches the disk',
    breaks: 'no talk without a committed deadline',
    ports: ({ store }) => ({ store: bound(store, { commitDeadline: (...order) => order[4]() }) }),
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
};
