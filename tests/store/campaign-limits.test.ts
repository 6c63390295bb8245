/** What a campaign has used: counted by the ledger, limited by policy, and the same as a person would count it off a list. */
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import type { UseLimit } from '../../config/schema/types.generated.js';
import { openStore } from '../../gateway/store/open.js';
import type { Store } from '../../gateway/store/store.js';
import { countedAt, type NotedCall } from '../policy/ledger-oracle.js';
import { ask, NOON, policyOf } from '../policy/sample-policy.js';
import { aFolder, aStore } from './folder.js';
import { aGrant, aRecord, aRequest, callNumber, StillClock, silent } from './samples.js';

const CAMPAIGNS = ['trains', 'water'] as const;
const ZONE = 'Europe/London';
const OF_A_CALL = { of: 'attempts', most: 1, in: 'day' } as const;

/** A call that has ended, and the campaign that it was for, if it was for any. */
interface Noted extends NotedCall {
  readonly campaign: string | undefined;
}

/** Puts a call on record as calls do: opened before its INVITE, closed by its record. */
function note(store: Store, n: number, { startedMs, talkMs, answered, campaign }: Noted): void {
  const at = Temporal.Instant.fromEpochMilliseconds(startedMs);
  const ofCampaign = campaign === undefined ? {} : { campaign, contact: `c-${n}` };
  store.calls.open({ ...aRequest(callNumber(n), at), ...ofCampaign }, aGrant(at));
  const { answeredAt, ...record } = aRecord(callNumber(n), at, {
    ...ofCampaign,
    endedAt: Temporal.Instant.fromEpochMilliseconds(startedMs + talkMs),
    talkMs,
  });
  store.calls.record(answered ? { ...record, answeredAt: answeredAt ?? at } : record, []);
}

const aCall = fc.record({
  startedMs: fc.integer({ min: -40 * 86_400, max: -3_700 }).map((s) => NOON.epochMilliseconds + s * 1_000),
  talkMs: fc.integer({ min: 0, max: 3_600 }).map((s) => s * 1_000),
  answered: fc.boolean(),
  campaign: fc.constantFrom(...CAMPAIGNS, undefined),
});
const aLimit = fc.record({
  per: fc.constant('campaign' as const),
  of: fc.constantFrom('attempts' as const, 'calls' as const, 'talk' as const),
  most: fc.integer({ min: 1, max: 12 }),
  in: fc.constantFrom('day' as const, 'week' as const, 'month' as const, '24-hours' as const, '30-days' as const),
});

t.test(
  'whatever was called for whichever campaign, a limit of one refuses where its own calls have used it up',
  async (t) => {
    fc.assert(
      fc.property(
        fc.array(aCall, { maxLength: 25 }),
        aLimit,
        fc.constantFrom(...CAMPAIGNS),
        (calls, { most, ...rest }, id) => {
          const limit: UseLimit = { ...rest, most: rest.of === 'talk' ? most * 600 : most };
          const noted = calls.map((call) => (call.answered ? call : { ...call, talkMs: 0 }));
          const store = aStore(t, { clock: new StillClock(NOON) });
          for (const [n, call] of noted.entries()) note(store, n, call);
          const own = noted.filter(({ campaign }) => campaign === id);
          const isUsedUp = countedAt(limit, own, ZONE, NOON.epochMilliseconds) >= limit.most;
          const decision = ask(policyOf(), NOON, { campaign: { id, limits: [limit] }, usage: store.calls });
          store.close();
          return isUsedUp
            ? decision.outcome === 'refusal' && decision.rule === `limit.${limit.of}`
            : decision.outcome === 'grant';
        },
      ),
      { numRuns: 60 },
    );
  },
);

t.test('a limit of a campaign tells what was used, and does not count a call that is for none', async (t) => {
  const store = aStore(t);
  note(store, 1, { startedMs: NOON.epochMilliseconds - 3_600_000, talkMs: 60_000, answered: true, campaign: 'trains' });
  const limits = [{ per: 'campaign', ...OF_A_CALL }] as const;
  const refused = ask(policyOf(), NOON, { campaign: { id: 'trains', limits }, usage: store.calls });
  t.match(refused, { rule: 'limit.attempts', fact: '1 of 1 attempts of this campaign today are used' });
  t.match(ask(policyOf(), NOON, { campaign: { id: 'water', limits }, usage: store.calls }), { outcome: 'grant' });
  const ofSite = policyOf({ site: { limits } });
  t.match(ask(ofSite, NOON, { usage: store.calls }), { outcome: 'grant' }, 'a call for no campaign uses none up');
  t.match(ask(ofSite, NOON, { campaign: { id: 'trains' }, usage: store.calls }), { rule: 'limit.attempts' });
});

t.test('a campaign’s calls in progress count, by number and by the whole of their lease', async (t) => {
  const store = aStore(t);
  const at = NOON.subtract({ minutes: 1 });
  store.calls.open({ ...aRequest(callNumber(1), at), campaign: 'trains', contact: 'c-1' }, aGrant(at));
  store.calls.open(aRequest(callNumber(2), at), aGrant(at));
  const used = store.calls.used({ kind: 'campaign', id: 'trains' }, 0);
  t.match(used, { attempts: 1, calls: 1, live: 1, talkMs: 1_800_000, liveTalkMs: 1_800_000 });
  const limits = [{ per: 'campaign', of: 'concurrent', most: 1 }] as const;
  const policy = policyOf({ profile: { concurrent: 8 } });
  t.match(ask(policy, NOON, { campaign: { id: 'trains', limits }, usage: store.calls }), {
    rule: 'limit.concurrent',
    fact: '1 calls of this campaign are up already',
  });
});

t.test('a store of the version before counts its calls for no campaign, and those that come for theirs', async (t) => {
  const folder = aFolder(t);
  const store = openStore({ folder, clock: new StillClock(), gatewayId: 'demo/gw-1', bootId: 'b', log: silent });
  const earlier = { startedMs: NOON.epochMilliseconds - 7_200_000, talkMs: 0, answered: false, campaign: 'trains' };
  note(store, 1, earlier);
  store.close();
  const db = new Sqlite(join(folder, 'balise.sqlite'));
  const version = db.pragma('user_version', { simple: true }) as number;
  // All that this version and later ones have added goes.
  for (const name of ['why_forgotten', 'work_outcome_counted', 'work_score_kept']) db.exec(`DROP TRIGGER ${name}`);
  for (const name of ['why', 'work_outcome', 'work_score']) db.exec(`DROP TABLE ${name}`);
  db.exec('DROP INDEX ledger_campaign; DROP INDEX ledger_campaign_end; ALTER TABLE ledger DROP COLUMN campaign');
  db.pragma('user_version = 5');
  db.close();
  t.ok(version > 5);
  const again = aStore(t, { folder });
  const count = () => again.calls.used({ kind: 'campaign', id: 'trains' }, 0).attempts;
  t.equal(count(), 0);
  t.equal(again.calls.used({ kind: 'handset', id: 'a-101' }, 0).attempts, 1, 'and nothing else of it is lost');
  note(again, 2, { ...earlier, startedMs: earlier.startedMs + 60_000 });
  t.equal(count(), 1);
});
