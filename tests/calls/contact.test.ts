/**
 * A contact's call and a call to the desk, on the real store: what the disk keeps of them, what counts as used, and what is owed to
 * their legs after a crash.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Calls } from '../../gateway/calls/calls.js';
import type { ContactNumbers } from '../../gateway/calls/contact-numbers.js';
import type { CallRequest, LinePlane, MediaPlane, SignallingPlane } from '../../gateway/calls/ports.js';
import type { CallRecord, LegDialog } from '../../gateway/calls/record.js';
import { recordOfOpenCall } from '../../gateway/calls/recovery.js';
import { callEvent } from '../../gateway/calls/reports.js';
import { callId, type E164, handsetId } from '../../gateway/policy/ids.js';
import { DialogSeal } from '../../gateway/work/dialog-seal.js';
import { aFolder, aStore } from '../store/folder.js';
import { StillClock, silent } from '../store/samples.js';
import { dialog, grant, NOON, request } from './samples.js';

const NUMBER = '+442079460073' as E164;
const TOKEN = 'b2Zmcm9udHNpZGU' as E164;
const HANDSET = handsetId('a-101');
const CONTACT = request({
  call: callId('c-1'),
  handset: HANDSET,
  dialled: 'contact:7',
  contact: 'token-7',
  campaign: 'survey',
});
const DESK = request({ call: callId('c-2'), handset: HANDSET, dialled: '*1', desk: true });

const never = (): never => {
  throw new Error('nobody calls in this test');
};
const media: MediaPlane = { open: never, announce: never, connect: never, arm: never, close: never };
const line: LinePlane = {
  ...{ facts: never, arm: never, cut: never, release: never, endHolds: never },
  setLockdowns: () => undefined,
};
const signalling: Omit<SignallingPlane, 'endFromJournal'> = {
  ...{ callHandset: never, answerDesk: never, ring: never, early: never, dial: never, accept: never, refuse: never },
  ...{ arm: never, release: never },
};

const seal = new DialogSeal(randomBytes(32));
const contacts: ContactNumbers = {
  numberOf: () => NUMBER,
  sealDialog: (one) => seal.seal(one),
  openDialog: (one) => seal.open(one),
};
const TRUNK_LEG: LegDialog = {
  ...dialog('trunk'),
  remoteUri: `sip:${NUMBER}@carrier.example`,
  remoteTarget: `sip:${NUMBER}@192.0.2.1`,
};

t.test('after a crash a contact’s leg is ended by its own dialog, which the disk told nobody', async (t) => {
  const folder = aFolder(t);
  const store = aStore(t, { folder });
  store.calls.open(CONTACT, grant({ number: TOKEN }));
  store.calls.saveDialogs(CONTACT.call, [seal.seal(TRUNK_LEG)]);
  store.calls.open(DESK, grant({ number: '' as E164 }));
  store.calls.saveDialogs(DESK.call, [dialog('handset')]);
  const bytes = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'latin1'));
  t.notOk(
    bytes.some((text) => text.includes('2079460073')),
    'no byte of the folder has the number',
  );
  t.equal(store.calls.used({ kind: 'handset', id: HANDSET }, 0).live, 1, 'a call to the desk is nobody’s');

  const ended: LegDialog[] = [];
  const records: CallRecord[] = [];
  const calls = new Calls({
    ...{ clock: new StillClock(), bootId: 'boot-2', store: store.calls, media, line, judge: { judge: never } },
    signalling: {
      ...signalling,
      endFromJournal: async (dialogs) => {
        ended.push(...dialogs);
      },
    },
    ...{ contacts, log: silent, numberToken: () => 'token of a token' },
    observer: { handset: () => undefined, ended: (record) => records.push(record), cutoff: () => undefined },
  });
  t.match(await calls.recover(), { calls: 2, legsEnded: 2 });
  t.match(
    ended.find(({ leg: name }) => name === 'trunk'),
    TRUNK_LEG,
  );
  t.match(
    records.find(({ call }) => call === CONTACT.call),
    { number: TOKEN, contact: 'token-7' },
  );
  t.equal(records.find(({ call }) => call === DESK.call)?.number, undefined);
  const number = { kind: 'number', id: TOKEN } as const;
  t.equal(store.calls.used(number, 0).attempts, 1, 'it counts by the token');
  t.equal(store.calls.used({ kind: 'handset', id: HANDSET }, 0).attempts, 1, 'and the desk by nothing');
});

t.test('reports have the token of a contact as it is, and no talk with the desk', async (t) => {
  const answered = { answeredAt: NOON, deadline: { wall: NOON.add({ hours: 8 }), monotonicNs: 1n, bootId: 'b' } };
  const at = NOON.add({ hours: 1 });
  const of = (asked: CallRequest, number: E164) =>
    recordOfOpenCall({ request: asked, grant: grant({ number }), ...answered, dialogs: [] }, at, true, 1);
  const contact = callEvent(of(CONTACT, TOKEN), () => 'token of a token');
  t.match(contact.data, { numberToken: TOKEN, talkMs: 3_600_000 });
  const desk = callEvent(of(DESK, '' as E164), () => 'token of nothing');
  t.equal(desk.data.talkMs, 0);
  t.notOk('numberToken' in desk.data);
});
