/** Campaigns of a signed bundle: in force with it, and narrowed by one signature alone. */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { Temporal } from 'temporal-polyfill';
import type { Campaign, PolicyBundle, Window } from '../../config/schema/types.generated.js';
import { decide } from '../../gateway/policy/decide.js';
import { callId, type E164, handsetId } from '../../gateway/policy/ids.js';
import { UNUSED } from '../../gateway/policy/request.js';
import { BundleFault } from '../../gateway/policy-bundle/bundle.js';
import { campaignWidenings } from '../../gateway/policy-bundle/campaigns.js';
import { LiveWork } from '../../gateway/site-live-work.js';
import { SitePolicy } from '../../gateway/site-policy.js';
import type { Store } from '../../gateway/store/store.js';
import { ContactJudge } from '../../gateway/work/contact-judge.js';
import { at, GOOD_FACTS, NUMBER, policyOf, window } from '../policy/sample-policy.js';
import { aStore } from '../store/folder.js';
import { StillClock } from '../store/samples.js';
import { aCampaign } from '../work/samples.js';
import { signedSite } from './signed.js';

const NOON = at('2026-03-04T12:00');
const HANDSET = handsetId('a-101');

/** How a contact's call of a campaign is judged at an instant. */
function judged(campaign: Campaign, when: Temporal.Instant) {
  const policy = policyOf();
  const judge = new ContactJudge({
    judge: { judge: (request, facts, now, usage) => decide(policy, usage, facts, request, now) },
    numberOf: () => NUMBER as E164,
    asked: () => ({ campaign, contact: { attempts: 0 } }),
    numberToken: () => 'token',
  });
  return judge.judge({ handset: HANDSET, dialled: 'contact:1', isContact: true }, GOOD_FACTS, when, UNUSED);
}

const hours = fc.constantFrom<readonly Window[] | undefined>(
  undefined,
  [window('09:00', '17:00')],
  [window('09:00', '12:00')],
  [window('10:00', '11:30'), window('13:00', '16:00')],
  [window('09:00', '17:00', ['mon', 'wed', 'fri'])],
  [window('22:00', '06:00')],
  [],
);
const campaigns = fc
  .record({
    windows: hours,
    maxTalkS: fc.constantFrom(300, 900, 1_800),
    ringS: fc.constantFrom(15, 30, 40),
    silenceDays: fc.constantFrom(30, 60),
    most: fc.constantFrom(1, 3),
    exception: fc.constantFrom(undefined, [], [{ from: '10:00', to: '12:00' }]),
  })
  .map(({ windows, exception, most, ...rest }) =>
    aCampaign({
      ...rest,
      ...(windows !== undefined && { windows }),
      ...(exception !== undefined && { exceptions: { '2026-03-04': exception } }),
      trunk: 'carrier',
      attempts: { most, perDay: 3, spacingS: 3_600 },
    }),
  );

t.test('what is said to narrow grants nothing that was not granted, and nothing for longer', async (t) => {
  let narrower = 0;
  fc.assert(
    fc.property(campaigns, campaigns, fc.nat(7 * 96), (before, after, quarter) => {
      if (campaignWidenings([before], [after]).length > 0) return;
      narrower += 1;
      const when = at('2026-03-02T00:00').add({ minutes: 15 * quarter });
      const [was, is] = [judged(before, when), judged(after, when)];
      if (is.outcome === 'refusal') return;
      if (was.outcome === 'refusal') throw new Error(`${was.rule} is granted at ${when}`);
      if (Temporal.Instant.compare(is.notAfter, was.notAfter) > 0) throw new Error('it may last beyond its end');
      if (is.maxTalkMs > was.maxTalkMs || is.ringMs > was.ringMs) throw new Error('it may last longer');
    }),
    { numRuns: 1_500 },
  );
  t.ok(narrower > 50, `${narrower} pairs were narrower`);
});

t.test('whatever else of a campaign is changed counts as widening', async (t) => {
  const one = aCampaign({ criteria: [{ id: 'script', text: 'keeps to the script' }] });
  for (const part of [
    { firm: 'Another' },
    { purpose: 'sales' },
    { trunk: 'other' },
    { callerIdentity: '+442079460000' },
    { supervised: true },
    { announcement: { nl: 'Goedendag.' } },
    { languages: ['nl', 'sq'] },
    { pay: { ...one.pay, perHour: 1 } },
    { attempts: { ...one.attempts, spacingS: 60 } },
    { lent: { most: 10 } },
    { silenceDays: 1 },
  ] as Partial<Campaign>[])
    t.equal(campaignWidenings([one], [{ ...one, ...part }]).length, 1, Object.keys(part).join());
  t.same(campaignWidenings([], [one]), ['campaign survey: is new']);
  t.same(campaignWidenings([one], []), [], 'to end one is to narrow');
  t.same(campaignWidenings([one], [{ ...one, criteria: [{ id: 'tone', text: 'tone' }] }]), []);
});

async function site(t: Test) {
  const signed = await signedSite(t);
  const store: Store = aStore(t);
  const policy = new SitePolicy(await signed.files(), () => undefined, store);
  await policy.load(NOON);
  let version = 0;
  const trunk = (await signed.files()).trunks[0]?.id ?? '';
  const offer = async (signers: number, ...some: readonly Partial<Campaign>[]) => {
    version += 1;
    const text = await signed.bundle(version, signers, (payload) => {
      const { content } = payload as unknown as PolicyBundle;
      Object.assign(content, { campaigns: some.map((part) => aCampaign({ trunk, ...part })) });
    });
    try {
      return (await policy.offer(text, NOON)).widens.join('; ');
    } catch (fault) {
      if (fault instanceof BundleFault) return `${fault.code}: ${fault.message}`;
      throw fault;
    }
  };
  return { store, policy, offer, signed };
}

t.test('a bundle brings its campaigns, changes them, and ends those that it no longer has', async (t) => {
  const { store, offer, policy, signed } = await site(t);
  store.work.putCampaign(aCampaign({ id: 'own' }));
  t.equal(await offer(2, { id: 'survey' }, { id: 'sales' }), 'it is the first policy of this gateway');
  const ids = () => store.work.campaigns().map(({ id, windows }) => `${id}${windows?.length === 0 ? ' over' : ''}`);
  t.same(ids(), ['own', 'sales', 'survey']);
  t.same(store.work.signedCampaigns(), ['survey', 'sales']);
  t.match(
    await offer(1, { id: 'survey', maxTalkS: 1_000 }),
    /needs-two-signatures.*campaign survey: a call may last longer/,
  );
  t.match(await offer(1, { id: 'survey' }, { id: 'new' }), /needs-two-signatures.*campaign new: is new/);
  t.equal(await offer(1, { id: 'survey', maxTalkS: 300 }), '', 'one signature narrows');
  t.same(ids(), ['own', 'sales over', 'survey'], 'the site’s own goes on');
  t.equal(store.work.campaigns().find(({ id }) => id === 'survey')?.maxTalkS, 300);
  t.match(await offer(2, { id: 'survey', leastTalkS: 2_000 }), /invalid: .*leastTalkS/);
  t.match(await offer(2, { id: 'survey' }, { id: 'survey' }), /invalid: .*there twice/);
  t.match(await offer(2, { id: 'survey', trunk: 'nowhere' }), /invalid: .*no trunk nowhere/);
  t.equal(store.work.campaigns().find(({ id }) => id === 'survey')?.maxTalkS, 300, 'what is refused changes nothing');
  const again = new SitePolicy(await signed.files(), () => undefined, store);
  await again.load(NOON);
  t.equal(again.bundle?.version, policy.bundle?.version);
  t.same(ids(), ['own', 'sales over', 'survey'], 'and so after a restart');
});

t.test(
  'a bundle that narrows a campaign shortens its live calls at once, and one that ends it ends them',
  async (t) => {
    const { store, offer } = await site(t);
    await offer(2, { id: 'survey', windows: [window('09:00', '17:00')] });
    const clock = new StillClock();
    const ends: (string | undefined)[] = [];
    const live = new LiveWork({
      ...{ clock, store: store.work },
      judgeAgain: () => {
        const { campaign } = live.asked('contact:1') ?? {};
        const decision = campaign && judged({ ...campaign, trunk: 'carrier' }, NOON);
        ends.push(decision?.outcome === 'grant' ? decision.notAfter.toString() : decision?.rule);
      },
      onFault: (fault) => {
        throw fault;
      },
    });
    const [campaign] = store.work.campaigns();
    if (campaign === undefined) throw new Error('no campaign');
    live.add('contact:1', callId('c-1'), { campaign });
    await offer(1, { id: 'survey', windows: [window('09:00', '12:30')] });
    live.look();
    await offer(1);
    live.look();
    t.equal(ends.length, 2);
    t.match(ends[0], /T12:30|T11:30/);
    t.equal(ends[1], 'window.campaign');
  },
);
