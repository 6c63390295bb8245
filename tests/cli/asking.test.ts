/** `balise explain` and `balise replay` of people and campaigns: whom the call is by, and for what. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Campaign, Person } from '../../config/schema/types.generated.js';
import { type E164, handsetId, personId } from '../../gateway/policy/ids.js';
import { tokenKeyOf } from '../../gateway/site-token-key.js';
import { contactKey } from '../../gateway/store/contact-key.js';
import { openStore } from '../../gateway/store/open.js';
import { numberTokens } from '../../gateway/uplink/number-token.js';
import { NumberSeal } from '../../gateway/work/number-seal.js';
import { SiteFolder } from '../config/site-folder.js';
import { at } from '../policy/sample-policy.js';
import { aRecord, callNumber, StillClock, silent } from '../store/samples.js';
import { aCampaign } from '../work/samples.js';
import { balise } from './terminal.js';

const NUMBER = '+442079460001' as E164;
const WORKDAY = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;
const hours = (from: string, to: string) => [{ days: WORKDAY, from, to }];
const PERSON: Person = {
  ...{ id: 'p-17', code: '3051', languages: ['nl'], handsets: ['a-101'], campaigns: ['survey'], suspended: false },
  windows: hours('08:00', '12:30'),
};

/** A demo site where p-17 works for a survey that calls between 9 and 13. */
async function working(
  t: Test,
  part: { readonly campaign?: Partial<Campaign>; readonly person?: Partial<Person> } = {},
) {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  const files = await folder.load();
  const store = openStore({
    ...{ folder: files.dataFolder, clock: new StillClock(at('2026-03-05T12:00')), log: silent },
    ...{ gatewayId: `${files.site.site}/${files.site.gateway}`, bootId: 'b' },
  });
  t.teardown(() => store.close());
  store.work.putPerson({ ...PERSON, ...part.person });
  store.work.putCampaign(aCampaign({ trunk: 'carrier', windows: hours('09:00', '13:00'), ...part.campaign }));
  const explain = (...more: readonly string[]) => {
    const asked = ['explain', '--site', folder.path, '--handset', 'a-101', '--number', NUMBER];
    return balise([...asked, '--at', '2026-03-04T12:00', ...more]);
  };
  return { folder, files, store, explain };
}

t.test('balise explain judges a person and a campaign with the call, and says which of them ends it', async (t) => {
  const { explain } = await working(t);
  const by = await explain('--person', 'p-17', '--campaign', 'survey');
  t.equal(by.status, 0, by.stderr);
  t.match(by.stdout, /\n {2}window.person +it is 12:00; open until 12:30/);
  t.match(by.stdout, /\n {2}window.campaign +it is 12:00; open until 13:00/);
  t.match(by.stdout, /granted until 2026-03-04T12:30:00\[Europe\/Brussels\] \(window.person\)/);
  const without = await explain('--campaign', 'survey');
  t.match(without.stdout, /granted until 2026-03-04T13:00:00\S+ \(window.campaign\), at most 900 s \(max-talk\)/);
  const late = await explain('--campaign', 'survey', '--at', '2026-03-04T14:00');
  t.equal(late.status, 1);
  t.match(late.stdout, /✗ window.campaign[\s\S]*would pass at 2026-03-05T09:00:00/);
});

t.test(
  'what has been used by the person and for the campaign is counted, contacts by the tokens of their numbers',
  async (t) => {
    const limits = [{ per: 'campaign', of: 'attempts', most: 1, in: 'day' }] as const;
    const { explain, store, files } = await working(t, { campaign: { limits } });
    const token = numberTokens(tokenKeyOf(files))(NUMBER) as E164;
    const of = {
      handset: handsetId('a-101'),
      number: token,
      person: personId('p-17'),
      campaign: 'survey',
      contact: 'c',
    };
    store.calls.record(aRecord(callNumber(1), at('2026-03-04T08:30'), of), []);
    const { stdout } = await explain('--campaign', 'survey', '--person', 'p-17');
    t.match(stdout, /✗ limit.attempts +1 of 1 attempts of this campaign today are used/);
    const other = await explain('--campaign', 'survey', '--json');
    t.match(JSON.parse(other.stdout), { decision: { rule: 'limit.attempts' } });
    const spaced = await working(t, { campaign: { attempts: { most: 3, perDay: 1, spacingS: 60 } } });
    spaced.store.calls.record(aRecord(callNumber(1), at('2026-03-04T08:30'), of), []);
    t.match((await spaced.explain('--campaign', 'survey')).stdout, /✗ limit.attempts +1 of 1 attempts of this number/);
  },
);

t.test('a person or a campaign that nobody knows is told, with those that there are', async (t) => {
  const { explain, folder } = await working(t);
  t.match(await explain('--person', 'p-99'), {
    status: 64,
    stderr: /there is no person p-99 at this site: there is p-17/,
  });
  t.match(await explain('--campaign', 'x'), {
    status: 64,
    stderr: /there is no campaign x at this site: there is survey/,
  });
  const empty = await SiteFolder.make();
  t.teardown(() => empty.remove());
  const asked = ['explain', '--site', empty.path, '--handset', 'a-101', '--number', NUMBER, '--person', 'p-17'];
  t.match(await balise(asked), { status: 64, stderr: /no person p-17 at this site: there is none/ });
  const replay = ['replay', '--site', folder.path, '--policy', await bundleOf(folder, () => undefined)];
  const days = ['--from', '2026-03-04', '--to', '2026-03-06'];
  t.match(await balise([...replay, ...days, '--campaign', 'x']), { status: 64, stderr: /there is no campaign x/ });
  t.match(await balise([...replay, ...days, '--person', 'x']), { status: 64, stderr: /there is no person x/ });
});

t.test('what is no rule of a call, and keeps it from being made, is told all the same', async (t) => {
  const { explain } = await working(t, {
    person: { handsets: ['b-201'], campaigns: [] },
    campaign: { trunk: 'other' },
  });
  const { stdout, status } = await explain('--person', 'p-17', '--campaign', 'survey');
  t.equal(status, 1);
  t.match(stdout, /refused by fault.signalling: this handset may not use the trunk of the campaign survey/);
  t.match(stdout, /note: p-17 may not sign on at a-101\nnote: p-17 does not work for survey\n/);
});

async function bundleOf(folder: SiteFolder, change: (profile: Record<string, unknown>) => void): Promise<string> {
  const json = async (name: string) => JSON.parse(await folder.text(`${name}.json`));
  const profiles = await json('profiles');
  for (const profile of profiles) change(profile);
  const content = { profiles, lists: await json('lists') };
  const file = join(folder.path, '..', 'new.json');
  const bundle = { site: 'demo', version: 1, validFrom: '2026-01-01T00:00:00Z', validOfflineH: 72, content };
  writeFileSync(file, JSON.stringify(bundle));
  return file;
}

t.test(
  'balise replay judges each call by its own person and campaign, and contacts by the numbers behind their tokens',
  async (t) => {
    const { folder, files, store } = await working(t);
    const seal = new NumberSeal(contactKey(files.dataFolder));
    const tokens = numberTokens(tokenKeyOf(files));
    const [one, other] = [NUMBER, '+442079460002' as E164];
    for (const number of [one, other]) {
      const { token, callee } = seal.names(number);
      const place = { country: 'GB', zones: ['Europe/London'] };
      const contact = { campaign: 'survey', token, callee, sealed: seal.seal(number, token), place, times: {} };
      store.work.addContacts([{ ...contact, language: 'nl', priority: 5 }]);
    }
    const of = { handset: handsetId('a-101'), person: personId('p-17'), campaign: 'survey', contact: 'c' };
    const note = (n: number, wall: string, number: string, more: object) =>
      store.calls.record(
        aRecord(callNumber(n), at(wall, 'Europe/Brussels'), { handset: of.handset, number: number as E164, ...more }),
        [],
      );
    note(1, '2026-03-04T10:00', tokens(one), of);
    note(2, '2026-03-04T11:30', tokens(other), of);
    note(3, '2026-03-04T12:45', one, {});
    note(4, '2026-03-04T12:50', 'a-token-that-no-contact-has', of);
    const trying = async (change: (profile: Record<string, unknown>) => void, ...more: readonly string[]) => {
      const run = ['replay', '--site', folder.path, '--policy', await bundleOf(folder, change)];
      return balise([...run, '--from', '2026-03-04', '--to', '2026-03-06', ...more]);
    };
    const same = await trying(() => undefined);
    t.match(same, {
      status: 0,
      stdout: /^3 calls and 0 refusals judged again\nthe same: 3\n[\s\S]*note: 1 are left out/,
    });
    const block = (profile: Record<string, unknown>) => {
      profile.block = [other];
    };
    const blocked = await trying(block);
    t.match(blocked.stdout, /newly refused: 1\n {2}2026-03-04T10:30:00Z {2}a-101 {2}\S+ {2}granted → number.blocked\n/);
    t.notMatch(blocked.stdout, '7946', 'and no number is told');
    t.match(JSON.parse((await trying(block, '--json')).stdout), {
      changed: [{ person: 'p-17', campaign: 'survey', before: 'granted', after: 'number.blocked' }],
      unopened: 1,
    });
    const perCampaign = (profile: Record<string, unknown>) => {
      profile.limits = [{ per: 'campaign', of: 'attempts', most: 1, in: 'day' }];
    };
    t.match(await trying(perCampaign), {
      stdout: /^3 calls[\s\S]*newly refused: 1\n.*10:30:00Z .*granted → limit.attempts\n/,
    });
    t.match(await trying(perCampaign, '--campaign', 'survey'), { stdout: /^2 calls[\s\S]*newly refused: 1\n/ });
    const shorter = (profile: Record<string, unknown>) => {
      profile.windows = hours('08:00', '12:00');
    };
    const ofPerson = await trying(shorter, '--person', 'p-17');
    t.match(ofPerson, { status: 0, stdout: /^2 calls and 0 refusals judged again\nthe same: 2\n/ });
    t.match(await trying(shorter), { status: 1, stdout: /newly refused: 1\n.*11:45:00Z .*granted → window.handset\n/ });
  },
);

t.test('both commands complete and explain the two options', async (t) => {
  for (const command of ['explain', 'replay']) {
    t.match((await balise([command, '--help'])).stdout, /--person [\s\S]*--campaign /);
    const { stdout } = await balise(['completion', 'bash']);
    t.match(stdout, new RegExp(`${command}\\) .*--campaign.*--person`));
  }
});
