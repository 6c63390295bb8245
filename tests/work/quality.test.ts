/** How good the work is: score sheets, contacts that try the work, counts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compactVerify, exportJWK, generateKeyPair, importJWK } from 'jose';
import t from 'tap';
import { readBootId, systemClock } from '../../gateway/clock/system-clock.js';
import type { E164 } from '../../gateway/policy/ids.js';
import { siteScores } from '../../gateway/site-scores.js';
import { openStore } from '../../gateway/store/open.js';
import { NumberSeal } from '../../gateway/work/number-seal.js';
import { aboutContact, isScoreOf, scoresFor, signScore } from '../../gateway/work/quality.js';
import { messageFault } from '../../scripts/headquarters/message-check.js';
import { balise } from '../cli/terminal.js';
import { SiteFolder } from '../config/site-folder.js';
import { aStore } from '../store/folder.js';
import { aRecord, callNumber, silent } from '../store/samples.js';
import { aCampaign } from './samples.js';

const NUMBER = '+442079460073' as E164;
const CRITERIA = [
  { id: 'script', text: 'keeps to the script' },
  { id: 'tone', text: 'is friendly' },
];

t.test('a contact that tries the work is told from others by what is sealed alone', async (t) => {
  const seal = new NumberSeal(Buffer.alloc(32, 1));
  const { token } = seal.names(NUMBER);
  const [plain, mystery] = [seal.seal(NUMBER, token), seal.seal(NUMBER, token, true)];
  t.equal(plain.length, mystery.length);
  t.same(seal.open(plain, token), { number: NUMBER, isMystery: false });
  t.same(seal.open(mystery, token), { number: NUMBER, isMystery: true });
  const row = { token, campaign: 'survey', callee: 1, language: 'nl' as const, attempts: 0 };
  t.same(aboutContact(seal, { ...row, sealed: plain }), { language: 'nl' });
  t.same(aboutContact(seal, { ...row, sealed: mystery }), { language: 'nl', mystery: true });
  t.same(aboutContact(new NumberSeal(Buffer.alloc(32, 2)), { ...row, sealed: mystery }), { language: 'nl' });
  const longest = '+123456789012345' as E164;
  t.same(seal.open(seal.seal(longest, token, true), token), { number: longest, isMystery: true });
});

t.test('a number that was sealed before there was a mark still opens', async (t) => {
  const { createCipheriv, hkdfSync } = await import('node:crypto');
  const key = Buffer.from(hkdfSync('sha256', Buffer.alloc(32, 1), Buffer.alloc(0), 'balise data folder seal', 32));
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12));
  cipher.setAAD(Buffer.from('contact'));
  const body = [cipher.update(NUMBER.padEnd(16, '\0'), 'latin1'), cipher.final(), cipher.getAuthTag()];
  const sealed = Buffer.concat([Buffer.alloc(12), ...body]);
  t.same(new NumberSeal(Buffer.alloc(32, 1)).open(sealed, 'contact'), { number: NUMBER, isMystery: false });
});

t.test(
  'outcomes are counted by campaign, language, hour and outcome as they are appended, and outlive the chain',
  (t) => {
    const store = aStore(t);
    const outcome = (disposition: string, more: object = {}) => ({
      ...{ kind: 'event' as const, type: 'balise.work.contact' },
      data: { campaign: 'survey', language: 'nl', contact: 'x', disposition, ...more },
    });
    store.work.append([outcome('completed'), outcome('refused'), outcome('completed')]);
    store.work.append([
      outcome('completed', { mystery: true }),
      { ...outcome('completed'), type: 'balise.work.other' },
    ]);
    const counted = store.work.outcomes(0).map(({ outcome: what, isMystery, calls }) => [what, isMystery, calls]);
    t.same(counted, [
      ['completed', false, 2],
      ['completed', true, 1],
      ['refused', false, 1],
    ]);
    t.equal((store.work.outcomes(0)[0]?.hourMs ?? 1) % 3_600_000, 0);
    t.end();
  },
);

t.test('a score sheet is whole and from 0 to 5, and its signature is over every word of it', async (t) => {
  const campaign = aCampaign({ criteria: CRITERIA });
  const points = (...some: [string, number][]) => scoresFor(campaign, new Map(some));
  t.match(points(['script', 4]), /no score for tone/);
  t.match(points(['script', 4], ['tone', 6]), /from 0 to 5/);
  t.match(points(['script', 4], ['tone', 1.5]), /whole number/);
  t.match(points(['script', 4], ['tone', 1], ['haste', 1]), /haste is no criterion/);
  t.match(scoresFor(aCampaign(), new Map()), /has no criteria/);
  const scores = points(['tone', 5], ['script', 0]);
  t.same(scores, [
    { criterion: 'script', points: 0 },
    { criterion: 'tone', points: 5 },
  ]);
  if (typeof scores === 'string') throw new Error(scores);
  const { privateKey, publicKey } = await generateKeyPair('Ed25519', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: 'sup' };
  const said = {
    call: callNumber(1),
    campaign: 'survey',
    person: 'p-1',
    scores,
    by: 'sup',
    at: '2026-03-04T12:00:00Z',
  };
  const data = await signScore(said, key);
  const { payload } = await compactVerify(data.jws, await importJWK(await exportJWK(publicKey), 'EdDSA'));
  const text = Buffer.from(payload).toString('utf8');
  t.ok(isScoreOf(data, text));
  for (const changed of [{ by: 'other' }, { person: 'p-2' }, { scores: [{ criterion: 'script', points: 5 }] }])
    t.notOk(isScoreOf({ ...data, ...changed }, text));
});

t.test(
  'the console’s sheets are the answered calls of campaigns with criteria; a score is in the chain, by its person',
  (t) => {
    const store = aStore(t);
    const clock = systemClock(() => ({ trusted: true }));
    store.work.putCampaign(aCampaign({ criteria: CRITERIA }));
    store.work.putCampaign(aCampaign({ id: 'plain' }));
    const ended = (n: number, part: { readonly campaign?: string; readonly answeredAt?: undefined }) => {
      const record = aRecord(callNumber(n), clock.wall(), { person: 'p-1' as never, ...part });
      store.calls.record(record, []);
    };
    ended(1, { campaign: 'survey' });
    ended(2, { campaign: 'plain' });
    ended(3, {});
    const scores = siteScores({ work: store.work, history: store.history, clock });
    t.match(scores.sheets().calls, [
      { call: callNumber(1), campaign: 'survey', person: 'p-1', criteria: CRITERIA, points: {} },
    ]);
    t.equal(scores.sheets().calls.length, 1);
    t.equal(scores.sheet(callNumber(2)), undefined);
    t.throws(() => scores.score({ call: callNumber(2), points: { script: 1, tone: 1 } }, 'console:sup'), /no call/);
    t.throws(() => scores.score({ call: callNumber(1), points: { script: 1 } }, 'console:sup'), /no score for tone/);
    scores.score({ call: callNumber(1), points: { tone: 5, script: 2 } }, 'console:sup');
    t.same(scores.sheet(callNumber(1))?.points, { script: 2, tone: 5 });
    const [event] = store.outbox.pending({ alarm: 0, event: 0 }, 10).filter(({ body }) => body.includes('work.score'));
    const { data } = JSON.parse(event?.body ?? '{}') as { data: unknown };
    t.equal(messageFault('work-score', data), undefined, 'as headquarters takes it');
    t.match(data, { by: 'console:sup', person: 'p-1', scores: [{ criterion: 'script', points: 2 }, { points: 5 }] });
    t.end();
  },
);

t.test('balise quality scores a call on record, and tells what came of the work', async (t) => {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  const { site, dataFolder, trunks } = await folder.load();
  const clock = systemClock(() => ({ trusted: true }));
  const gatewayId = `${site.site}/${site.gateway}`;
  const call = callNumber(1);
  const store = openStore({ folder: dataFolder, clock, gatewayId, bootId: readBootId(), log: silent });
  store.work.putCampaign(aCampaign({ criteria: CRITERIA, trunk: trunks[0]?.id ?? '' }));
  const [person, campaign] = ['p-1' as never, 'survey'];
  const data = { call, person, campaign, handset: 'a-101', endedAt: clock.wall().toString(), cause: 'trunk-hung-up' };
  store.calls.record(aRecord(call, clock.wall(), { person, campaign }), [
    { kind: 'event', type: 'balise.call.ended', data },
  ]);
  store.close();
  const key = join(folder.path, '..', 'sup.jwk');
  writeFileSync(key, '');
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
  writeFileSync(key, JSON.stringify({ ...(await exportJWK(privateKey)), kid: 'sup' }));
  const of = ['--site', folder.path];
  const score = ['quality', 'score', ...of, '--by', 'supervision', '--key', key];
  t.match(await balise(['quality', 'results', ...of]), { status: 0, stdout: /nothing yet/ });
  t.match(await balise([...score, '--call', callNumber(9), '--score', 'tone=3']), {
    status: 64,
    stderr: /no such call/,
  });
  t.match(await balise([...score, '--call', call, '--score', 'tone=3']), { status: 64, stderr: /no score for script/ });
  t.match(await balise([...score, '--call', call, '--score', 'tone=a']), { status: 64, stderr: /tone=a/ });
  const both = (script: number) => ['--call', call, '--score', 'tone=3', '--score', `script=${script}`];
  t.match(await balise([...score, ...both(1)]), { status: 0, stdout: /scored, script 1, tone 3/ });
  t.match(await balise([...score, ...both(4)]), { status: 0 });
  t.match(await balise(['quality', 'results', ...of]), {
    stdout: /scores {2}survey {2}script {2}4.00 of 5, 1 calls\nscores {2}survey {2}tone {2}3.00 of 5/,
  });
});
