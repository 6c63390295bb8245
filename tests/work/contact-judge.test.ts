/** A contact's number is opened for policy's judgement, and the grant has its token; a dialog's URIs are sealed for the journal. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import type { LegDialog } from '../../gateway/calls/record.js';
import type { Grant } from '../../gateway/policy/decision.js';
import { type E164, handsetId, type TrunkId, type WingId } from '../../gateway/policy/ids.js';
import { type DialRequest, type Facts, NO_USAGE, type UsageBook } from '../../gateway/policy/request.js';
import { ContactJudge } from '../../gateway/work/contact-judge.js';
import { DialogSeal } from '../../gateway/work/dialog-seal.js';
import { aCampaign } from './samples.js';

const NUMBER = '+442079460173' as E164;
const AT = Temporal.Instant.from('2026-03-04T10:00:00Z');
const FACTS: Facts = {
  clock: { trusted: true },
  line: { fitted: false, hook: 'off', supervised: true, relay: 'connected' },
  lockdowns: [],
};
const GRANT: Grant = {
  outcome: 'grant',
  handset: handsetId('a-101'),
  wing: 'a' as WingId,
  number: NUMBER,
  calleeZones: ['Europe/London'],
  notAfter: AT.add({ hours: 1 }),
  maxTalkMs: 1_800_000,
  notAfterBy: 'window.site',
  maxTalkBy: 'limit.talk',
  trunks: ['carrier' as TrunkId, 'other' as TrunkId],
  callerIdentity: '+442079460900',
  ringMs: 60_000,
  warningsS: [],
  earlyMedia: true,
  digitsAllowed: '',
  controllerLost: 'end',
  hookRequired: false,
};
const CONTACT: DialRequest = { handset: handsetId('a-101'), dialled: 'contact:7', isContact: true };

function judging(part: { readonly campaign?: ReturnType<typeof aCampaign>; readonly isSealed?: boolean } = {}) {
  const asked: DialRequest[] = [];
  const counted: string[] = [];
  const judge = new ContactJudge({
    judge: {
      judge: (request, _facts, _at, usage) => {
        asked.push(request);
        counted.push(String(usage.used({ kind: 'number', id: NUMBER }, 0).attempts));
        return GRANT;
      },
    },
    numberOf: () => {
      if (part.isSealed === true) throw new Error('sealed');
      return NUMBER;
    },
    asked: (dialled) =>
      dialled === 'contact:7'
        ? {
            campaign: part.campaign ?? aCampaign(),
            contact: { attempts: 2, isAgreed: true },
            calleeZone: 'Europe/London',
          }
        : undefined,
    numberToken: (number) => `token-of-${number.length}`,
  });
  const usage: UsageBook = {
    used: ({ id }) => ({ ...NO_USAGE, attempts: id === NUMBER ? 1 : 2 }),
    callsSince: () => [],
  };
  return { asked, counted, of: (request: DialRequest) => judge.judge(request, FACTS, AT, usage) };
}

t.test('policy judges the number, and whoever asked gets its token within what the campaign allows', async (t) => {
  const { asked, counted, of } = judging();
  const decision = of(CONTACT);
  t.match(asked, [{ dialled: NUMBER, calleeZone: 'Europe/London', campaign: { id: 'survey' } }]);
  t.match(asked, [{ contact: { attempts: 2, isAgreed: true } }], 'and a call-back that was agreed on is not spaced');
  t.same(counted, ['3'], 'calls to it as a contact and as any other count together');
  t.match(decision, {
    ...{ outcome: 'grant', number: 'token-of-13', trunks: ['carrier'], ringMs: 30_000, maxTalkMs: 900_000 },
    ...{ maxTalkBy: 'max-talk', earlyMedia: false, warningsS: [60, 10] },
  });
  t.notMatch(JSON.stringify(decision), '2079460173');
});

t.test(
  'a contact of nobody’s, a number that does not open, or a trunk that the handset has not: nobody is called',
  async (t) => {
    t.match(judging().of({ ...CONTACT, dialled: 'contact:8' }), { outcome: 'refusal', rule: 'fault.store' });
    t.match(judging({ isSealed: true }).of(CONTACT), { outcome: 'refusal', rule: 'fault.store' });
    const elsewhere = judging({ campaign: aCampaign({ trunk: 'third' }) });
    t.match(elsewhere.of(CONTACT), { outcome: 'refusal', rule: 'fault.signalling' });
  },
);

t.test('a sealed dialog tells no number, opens to what it was, and for no other key or dialog', async (t) => {
  const seal = new DialogSeal(randomBytes(32));
  const dialog: LegDialog = {
    ...{ leg: 'trunk', state: 'confirmed', dialogId: 'a;from-tag=b', callId: 'a', localUri: 'sip:+442079460900@us' },
    ...{ localTag: 'b', remoteUri: `sip:${NUMBER}@carrier`, remoteTag: 'c', remoteTarget: `sip:${NUMBER}@192.0.2.1` },
    ...{ routeSet: ['<sip:192.0.2.2;lr>'], cseq: 1, branch: '', transport: 'udp', address: '192.0.2.1', port: 5060 },
  };
  const sealed = seal.seal(dialog);
  t.notMatch(JSON.stringify(sealed), '2079460173');
  t.same(seal.open(sealed), dialog, 'all that a BYE needs');
  t.throws(() => seal.open({ ...sealed, dialogId: 'z;from-tag=b' }), { name: 'SealBroken' });
  t.throws(() => new DialogSeal(randomBytes(32)).open(sealed), { name: 'SealBroken' });
});
