/** Refusals are judged by another policy too: what was dialled is kept with them, sealed, and for as long as they are. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { type CallId, type E164, handsetId } from '../../gateway/policy/ids.js';
import type { Facts } from '../../gateway/policy/request.js';
import { SitePolicy } from '../../gateway/site-policy.js';
import { RefusedSeal } from '../../gateway/site-refused.js';
import { WhyBook } from '../../gateway/site-why.js';
import { CONTACT_KEY_FILE, contactKey } from '../../gateway/store/contact-key.js';
import { openStore } from '../../gateway/store/open.js';
import { SiteFolder } from '../config/site-folder.js';
import { formsOf, foundIn } from '../peers/number-forms.js';
import { at, GOOD_FACTS } from '../policy/sample-policy.js';
import { aRecord, callNumber, StillClock, silent } from '../store/samples.js';
import { aCampaign } from '../work/samples.js';
import { balise } from './terminal.js';

const STRANGE = '+442079469876' as E164;
const zone = 'Europe/Brussels';

/** A demo site, and what its gateway refuses. */
async function refusing(t: Test) {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  const files = await folder.load();
  const store = openStore({
    ...{ folder: files.dataFolder, clock: new StillClock(at('2026-03-05T12:00', zone)), log: silent },
    ...{ gatewayId: `${files.site.site}/${files.site.gateway}`, bootId: 'b' },
  });
  t.teardown(() => store.close());
  const policy = new SitePolicy(files);
  t.teardown(() => policy.close());
  const book = new WhyBook(policy, store.whys, () => new RefusedSeal(contactKey(files.dataFolder)));
  let calls = 0;
  /** Somebody dials at noon, and is refused. */
  const dial = (dialled: string, facts: Partial<Facts> = {}, more: object = {}): CallId => {
    calls += 1;
    const when = at(`2026-03-04T12:${String(calls).padStart(2, '0')}`, zone);
    const request = { handset: handsetId('a-101'), dialled, ...more };
    const decision = book.judge(request, { ...GOOD_FACTS, ...facts }, when, store.calls);
    if (decision.outcome === 'grant') throw new Error(`${dialled} is granted`);
    const { rule, fact } = decision;
    const { number: _, trunk: __, answeredAt: ___, ...bare } = aRecord(callNumber(calls), when, { cause: 'refused' });
    const record = { ...bare, rule, fact, endedAt: when.add({ seconds: 3 }), talkMs: 0 };
    store.calls.record(record, []);
    book.ended(record);
    return record.call;
  };
  const json = async (name: string) => JSON.parse(await folder.text(`${name}.json`));
  /** Tries a bundle in which each profile is another. */
  const trying = async (change: (profile: Record<string, unknown>) => void, ...more: readonly string[]) => {
    const profiles = await json('profiles');
    for (const profile of profiles) change(profile);
    const content = { profiles, lists: await json('lists') };
    const file = join(folder.path, '..', 'new.json');
    const bundle = { site: 'demo', version: 1, validFrom: '2026-01-01T00:00:00Z', validOfflineH: 72, content };
    writeFileSync(file, JSON.stringify(bundle));
    const run = ['replay', '--site', folder.path, '--policy', file, '--from', '2026-03-04', '--to', '2026-03-06'];
    return balise([...run, ...more]);
  };
  return { files, store, dial, trying };
}

const sanction = (profile: Record<string, unknown>): void => {
  profile.allow = ['+4420794698*'];
};

t.test('what a wider bundle would newly let through is told, of numbers that nobody had sanctioned', async (t) => {
  const { dial, trying } = await refusing(t);
  const call = dial(STRANGE);
  dial('+442079461234');
  t.match(await trying(() => undefined), { status: 0, stdout: /^0 calls and 2 refusals judged again\nthe same: 2\n/ });
  const wider = await trying(sanction);
  t.match(wider, {
    status: 1,
    stdout: new RegExp(`newly let through: 1\n.*a-101 {2}${call} {2}number.not-sanctioned → granted\n`),
  });
  t.same(foundIn(wider.stdout + wider.stderr, formsOf(STRANGE)), [], 'and no number with it');
  const { changed, counts } = JSON.parse((await trying(sanction, '--json')).stdout);
  t.match(counts, { newlyAllowed: 1, newlyRefused: 0 });
  t.match(changed, [
    { kind: 'newlyAllowed', before: 'number.not-sanctioned', after: 'granted', beforeS: 0, afterS: Number },
  ]);
  t.match(await trying(sanction, '--language', 'fr'), {
    stdout: /désormais autorisés: 1\n.*number.not-sanctioned → accordé/,
  });
  t.match(await trying(sanction, '--language', 'nl'), { stdout: /voortaan toegestaan: 1\n.* → toegestaan/ });
  t.match(await trying(sanction, '--language', 'de'), { status: 64, stderr: /one of en, fr, nl/ });
  t.match(await trying(sanction, '--first', 'all'), {
    status: 64,
    stderr: /--first is "all" and should be a whole number/,
  });
});

t.test('a refusal by another rule than before is told as one', async (t) => {
  const { dial, trying } = await refusing(t);
  dial(STRANGE);
  const block = (profile: Record<string, unknown>): void => {
    profile.block = ['+44*'];
  };
  t.match(await trying(block), { stdout: /another reason: 1\n.*number.not-sanctioned → number.blocked\n/ });
});

t.test('the wire is as it was: a bundle that no longer asks for the hook lets through what it refused', async (t) => {
  const { dial, trying } = await refusing(t);
  const onHook = { fitted: true, hook: 'on', supervised: true, relay: 'connected' } as const;
  dial('+442079460001', { line: onHook });
  const free = (profile: Record<string, unknown>): void => {
    profile.hookRequired = false;
  };
  t.match(await trying(() => undefined), { stdout: /the same: 1\n/ });
  t.match(await trying(free), { stdout: /newly let through: 1\n.*line.not-off-hook → granted\n/ });
});

t.test('what the clock or a cutoff decided no bundle changes, and is counted apart', async (t) => {
  const { dial, trying } = await refusing(t);
  dial(STRANGE, { clock: { trusted: false, why: 'it stepped' } });
  const from = at('2026-03-04T08:00', zone);
  dial(STRANGE, { lockdowns: [{ target: { kind: 'site' }, from, reason: 'drill' }] });
  t.match(await trying(sanction), {
    status: 0,
    stdout: /^0 calls and 0 refusals[\s\S]*note: 2 refusals are left as they were/,
  });
});

t.test('a contact that was refused is judged again for its campaign', async (t) => {
  const { dial, trying, store } = await refusing(t);
  const workdays = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;
  const campaign = aCampaign({ trunk: 'carrier', windows: [{ days: workdays, from: '09:00', to: '18:00' }] });
  store.work.putCampaign(campaign);
  dial(STRANGE, {}, { campaign, isContact: true, contact: { attempts: 0 }, calleeZone: 'Europe/London' });
  t.match(JSON.parse((await trying(sanction, '--json')).stdout), { counts: { newlyAllowed: 1 }, unopened: 0 });
});

t.test(
  'nothing on the disk gives the number without the key, and the key of another folder opens nothing',
  async (t) => {
    const { dial, trying, files } = await refusing(t);
    dial(STRANGE);
    const { dataFolder } = files;
    const all = Buffer.concat(
      readdirSync(dataFolder)
        .filter((name) => name.startsWith('balise.sqlite'))
        .map((name) => readFileSync(join(dataFolder, name))),
    );
    t.ok(all.length > 4_096);
    t.same(foundIn(all, formsOf(STRANGE)), []);
    writeFileSync(join(dataFolder, CONTACT_KEY_FILE), randomBytes(32));
    t.match(await trying(sanction), { status: 0, stdout: /note: 1 are left out: what was dialled is not on disk/ });
  },
);

t.test(
  'a refusal keeps what was dialled for as long as it is on record, and a key that is none keeps nothing',
  async (t) => {
    const { dial, trying, files } = await refusing(t);
    writeFileSync(join(files.dataFolder, CONTACT_KEY_FILE), 'short');
    dial(STRANGE);
    writeFileSync(join(files.dataFolder, CONTACT_KEY_FILE), randomBytes(32));
    t.match(await trying(sanction), { stdout: /note: 1 are left out/ });
  },
);

t.test('what is sealed opens for its own call, and is as long for every number', async () => {
  const seal = new RefusedSeal(randomBytes(32));
  const other = new RefusedSeal(randomBytes(32));
  const dialled = fc.string({ unit: fc.constantFrom(...'0123456789+*# ()'), maxLength: 40 });
  fc.assert(
    fc.property(dialled, dialled, fc.uuid(), fc.uuid(), fc.nat(200), (one, two, call, elsewhere, at) => {
      const sealed = seal.seal(call, { dialled: one });
      if (seal.open(call, sealed)?.dialled !== one) throw new Error('it does not open');
      if (call !== elsewhere && seal.open(elsewhere, sealed) !== undefined) throw new Error('opens for another call');
      if (other.open(call, sealed) !== undefined) throw new Error('opens with another key');
      if (seal.seal(call, { dialled: two }).length !== sealed.length) throw new Error('the length tells');
      const broken = Buffer.from(sealed);
      broken[at % broken.length] = (broken[at % broken.length] ?? 0) ^ 1;
      if (seal.open(call, broken) !== undefined) throw new Error('opens when it was changed');
      if (seal.open(call, sealed.subarray(0, at % sealed.length)) !== undefined)
        throw new Error('opens when it is cut');
    }),
    { numRuns: 100 },
  );
});
