/** Signed bundles at a site: what is taken, what is refused and why, and that a refusal changes nothing. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { EventDraft } from '../../gateway/calls/ports.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { handsetId } from '../../gateway/policy/ids.js';
import { UNUSED } from '../../gateway/policy/request.js';
import { BundleFault, signBundle } from '../../gateway/policy-bundle/bundle.js';
import type { PolicyMark, PolicyWitness } from '../../gateway/policy-bundle/witness.js';
import { SitePolicy } from '../../gateway/site-policy.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import type { Json } from '../config/site-folder.js';
import { at, GOOD_FACTS } from '../policy/sample-policy.js';
import { type SignedSite, signedSite } from './signed.js';

const NOON = at('2026-03-04T12:00');
/** A clock that stands still at noon. */
const noonClock: Clock = {
  wall: () => NOON,
  monotonicNs: () => 0n,
  trust: () => ({ trusted: true }),
  after: () => ({ cancel: () => undefined }),
};
const A101 = handsetId('a-101');

function asked(policy: SitePolicy, when = NOON) {
  const decision = policy.judge({ handset: A101, dialled: '+442079460001' }, GOOD_FACTS, when, UNUSED);
  return decision.outcome === 'grant' ? { ...decision, rule: 'granted' } : decision;
}

async function open(site: SignedSite, faults: string[] = []): Promise<SitePolicy> {
  const policy = new SitePolicy(await site.files(), (code, why) => faults.push(`${code}: ${why}`));
  await policy.load(NOON);
  return policy;
}

/** The code by which a bundle is refused. */
async function refused(policy: SitePolicy, text: string, when = NOON): Promise<string> {
  try {
    await policy.offer(text, when);
    return 'taken';
  } catch (fault) {
    if (fault instanceof BundleFault) return fault.code;
    throw fault;
  }
}

t.test('a site that wants signed policy grants nothing without it', async (t) => {
  const policy = await open(await signedSite(t));
  t.match(asked(policy), { rule: 'policy.missing', sipStatus: 503 });
  t.equal(policy.mayCall(A101, NOON), false, 'nor is its line leased');
});

t.test('the first bundle needs two signatures; it is in force at once, and after a restart', async (t) => {
  const site = await signedSite(t);
  const policy = await open(site);
  t.equal(await refused(policy, await site.bundle(1, 1)), 'needs-two-signatures');
  t.equal(asked(policy).rule, 'policy.missing');
  t.equal(await refused(policy, await site.bundle(1, 2)), 'taken');
  t.equal(asked(policy).rule, 'granted');
  t.equal(policy.mayCall(A101, NOON), true);
  t.equal(asked(await open(site)).rule, 'granted', 'the last good one is on disk');
});

const inForce = async (t: Test) => {
  const site = await signedSite(t);
  const policy = await open(site);
  await policy.offer(await site.bundle(5, 2), NOON);
  return { site, policy };
};

t.test('one signature narrows, two widen, and the widening is told', async (t) => {
  const { site, policy } = await inForce(t);
  const narrow = (payload: Json) => {
    for (const profile of payload.content.profiles) profile.maxTalkS = Math.min(60, profile.maxTalkS);
    for (const profile of payload.content.profiles) delete profile.warningsS;
  };
  t.equal(await refused(policy, await site.bundle(6, 1, narrow)), 'taken');
  t.match(asked(policy), { rule: 'granted', maxTalkMs: 60_000 });
  t.equal(await refused(policy, await site.bundle(7, 1)), 'needs-two-signatures');
  t.match(asked(policy), { maxTalkMs: 60_000 }, 'nothing was changed');
  const { widens } = await policy.offer(await site.bundle(7, 2), NOON);
  t.ok(
    widens.some((what) => what === 'handset a-101: a call may last longer'),
    widens.join('; '),
  );
});

t.test('two signatures of one key are one signature', async (t) => {
  const { site, policy } = await inForce(t);
  const wide = (payload: Json) => {
    payload.content.profiles[0].maxTalkS = 80_000;
  };
  const once = await site.bundle(6, 1, wide);
  const [key] = site.keys;
  const payload = Buffer.from(once.split('.')[1] ?? '', 'base64url');
  const twice = key === undefined ? '' : await signBundle(payload, key, once);
  t.equal(twice.trim().split('\n').length, 2);
  t.equal(await refused(policy, twice), 'needs-two-signatures');
});

t.test(
  'tampered, truncated, foreign, replayed, early or at fault: refused with the reason, and nothing changed',
  async (t) => {
    const { site, policy } = await inForce(t);
    const good = await site.bundle(6, 2);
    const [first = '', second = ''] = good.trim().split('\n');
    const [head, payload = '', signature] = first.split('.');
    const other = Buffer.from(payload, 'base64url').toString().replace('"version":6', '"version":9');
    const stranger = await newSigningKey('stranger');
    const impostor = await newSigningKey('one');
    const signedBy = (key: Awaited<ReturnType<typeof newSigningKey>>) =>
      signBundle(Buffer.from(payload, 'base64url'), key.privateJwk);
    const cases: readonly (readonly [what: string, text: string, code: string])[] = [
      ['nothing', '', 'malformed'],
      ['prose', 'call whom you like', 'malformed'],
      ['a changed payload', `${head}.${Buffer.from(other).toString('base64url')}.${signature}`, 'unsigned'],
      ['a cut signature', first.slice(0, -4), 'unsigned'],
      ['a cut payload', first.slice(0, first.length / 2), 'malformed'],
      ['no signature', `${head}.${payload}.`, 'unsigned'],
      ['algorithm none', `${Buffer.from('{"alg":"none","kid":"one"}').toString('base64url')}.${payload}.`, 'unsigned'],
      ['a key of nobody', await signedBy(stranger), 'unsigned'],
      ['a key that only has the name', await signedBy(impostor), 'unsigned'],
      ['one good line and one bad', `${first}\n${second.slice(0, -4)}`, 'unsigned'],
      ['two policies in one', `${first}\n${(await site.bundle(7, 2)).trim().split('\n')[1]}`, 'malformed'],
      ['another site’s', await site.bundle(6, 2, (p) => Object.assign(p, { site: 'elsewhere' })), 'foreign'],
      ['the same version again', await site.bundle(5, 2), 'replayed'],
      ['an older one', await site.bundle(4, 2), 'replayed'],
      [
        'one for later',
        await site.bundle(6, 2, (p) => Object.assign(p, { validFrom: '2026-03-04T12:00:01Z' })),
        'not-yet-valid',
      ],
      ['an unknown setting', await site.bundle(6, 2, (p) => Object.assign(p.content, { allowAll: true })), 'invalid'],
      [
        'a list that is not there',
        await site.bundle(6, 2, (p) => Object.assign(p.content.profiles[0], { lists: { allow: ['nowhere'] } })),
        'invalid',
      ],
      ['no profile for a handset', await site.bundle(6, 2, (p) => p.content.profiles.splice(0, 1)), 'invalid'],
      [
        'a handset that is not there',
        await site.bundle(6, 2, (p) => Object.assign(p.content, { handsets: { 'z-9': {} } })),
        'invalid',
      ],
    ];
    const before = JSON.stringify(asked(policy));
    for (const [what, text, code] of cases) {
      t.equal(await refused(policy, text), code, what);
      t.equal(JSON.stringify(asked(policy)), before, 'nothing was changed');
      t.equal(policy.bundle?.version, 5);
    }
    t.equal(await refused(policy, good), 'taken');
  },
);

t.test('a bundle that is not renewed expires, and news of headquarters renews it', async (t) => {
  const { site, policy } = await inForce(t);
  const after = (hours: number) => NOON.add({ hours });
  t.match(asked(policy, after(71)), { outcome: 'grant' });
  const end = asked(policy, after(72));
  t.match(end, { rule: 'policy.expired' });
  t.equal(policy.mayCall(A101, after(72)), false);
  const late = asked(policy, after(71).add({ minutes: 50 }));
  t.match(late, { notAfterBy: 'policy' }, 'a call ends with it');
  policy.heard(after(70));
  t.match(asked(policy, after(72)), { outcome: 'grant' });
  t.match(asked(await open(site), after(140)), { outcome: 'grant' }, 'and it was written down');
});

t.test('a bundle on disk is not believed for where it lies', async (t) => {
  const { site, policy } = await inForce(t);
  const folder = join(site.folder.path, 'data', 'policy');
  const file = join(folder, 'current.jws');
  const good = readFileSync(file, 'utf8');
  const faults: string[] = [];
  writeFileSync(file, `${good.trim().split('\n')[0]?.slice(0, -6)}`);
  t.match(asked(await open(site, faults)), { rule: 'policy.unsigned' });
  t.match(faults, [/^policy.unsigned: .*the signature of one is not good/]);
  await policy.offer(await site.bundle(6, 2), NOON);
  writeFileSync(file, good);
  t.match(asked(await open(site, faults)), { rule: 'policy.unsigned' }, 'an older one put back');
  t.match(faults.at(-1), /^policy.replayed/);
});

t.test('a bundle put on disk is taken by a gateway that runs, and judged like any other', async (t) => {
  const { site, policy } = await inForce(t);
  const faults: string[] = [];
  const running = await open(site, faults);
  t.teardown(() => running.close());
  const changed = new Promise<void>((settle) => running.watch(noonClock, settle));
  const blocking = (payload: Json) => {
    for (const profile of payload.content.profiles) profile.block = [...(profile.block ?? []), '+44*'];
  };
  await policy.offer(await site.bundle(6, 1, blocking), NOON);
  await changed;
  t.match(asked(running), { rule: 'number.blocked' });
  // Straight to the file, past every check: what widens with one signature is not taken.
  const told = new Promise<void>((settle) => {
    faults.push = (...said: string[]) => {
      settle();
      return Array.prototype.push.apply(faults, said);
    };
  });
  writeFileSync(join(site.folder.path, 'data', 'policy', 'current.jws'), await site.bundle(7, 1));
  await told;
  t.match(faults.join('\n'), /policy.(needs-two-signatures|malformed)/);
  t.match(asked(running), { rule: 'number.blocked' });
});

/** What a gateway remembers apart from the folder; the store does the same on disk. */
class Memory implements PolicyWitness {
  readonly events: EventDraft[] = [];
  #mark: PolicyMark | undefined;

  policyTaken() {
    return this.#mark;
  }

  takePolicy(mark: PolicyMark, event: EventDraft) {
    this.#mark = mark;
    this.events.push(event);
  }
}

async function witnessed(site: SignedSite, memory: Memory, faults: string[] = []): Promise<SitePolicy> {
  const policy = new SitePolicy(await site.files(), (code, why) => faults.push(`${code}: ${why}`), memory);
  await policy.load(NOON);
  return policy;
}

t.test('each bundle that is taken is an event, with its version, its signers and what it widens', async (t) => {
  const memory = new Memory();
  const site = await signedSite(t);
  const policy = await witnessed(site, memory);
  await policy.offer(await site.bundle(5, 2), NOON);
  t.match(memory.events, [
    { type: 'balise.policy.applied', data: { version: 5, signedBy: ['one', 'two'], widens: [/first policy/] } },
  ]);
  t.equal(asked(await witnessed(site, memory)).rule, 'granted');
  t.equal(memory.events.length, 1, 'a restart takes nothing anew');
});

t.test(
  'a folder of bundles that is put back whole grants nothing: what was taken is remembered elsewhere',
  async (t) => {
    const memory = new Memory();
    const site = await signedSite(t);
    const policy = await witnessed(site, memory);
    const folder = join(site.folder.path, 'data', 'policy');
    await policy.offer(await site.bundle(5, 2), NOON);
    const old = ['current.jws', 'in-force.jws', 'state.json'].map(
      (name) => [name, readFileSync(join(folder, name))] as const,
    );
    await policy.offer(await site.bundle(6, 2), NOON);
    for (const [name, bytes] of old) writeFileSync(join(folder, name), bytes);
    const faults: string[] = [];
    const again = await witnessed(site, memory, faults);
    t.match(asked(again), { rule: 'policy.unsigned' });
    t.match(faults, [/^policy.replayed: .*version 6 was in force/]);
    await again.offer(await site.bundle(7, 2), NOON);
    t.equal(asked(again).rule, 'granted', 'a newer one mends it');
  },
);

t.test('a bundle slipped in while the gateway was away is judged at the start, against the one in force', async (t) => {
  const memory = new Memory();
  const site = await signedSite(t);
  const blocking = (payload: Json) => {
    for (const profile of payload.content.profiles) profile.block = [...(profile.block ?? []), '+44*'];
  };
  const policy = await witnessed(site, memory);
  await policy.offer(await site.bundle(5, 2, blocking), NOON);
  const current = join(site.folder.path, 'data', 'policy', 'current.jws');
  writeFileSync(current, await site.bundle(6, 1));
  const faults: string[] = [];
  const again = await witnessed(site, memory, faults);
  t.match(asked(again), { rule: 'number.blocked' }, 'the one in force still is');
  t.match(faults, [/^policy.needs-two-signatures/]);
  writeFileSync(current, await site.bundle(6, 2));
  t.equal(asked(await witnessed(site, memory)).rule, 'granted');
  t.match(memory.events.at(-1), { data: { version: 6, by: 'disk' } });
});

t.test('a bundle with an end is refused after it, and ends calls at it', async (t) => {
  const { site, policy } = await inForce(t);
  const until = (wall: string) => (payload: Json) => Object.assign(payload, { validUntil: `2026-03-${wall}:00Z` });
  t.equal(await refused(policy, await site.bundle(6, 2, until('04T12:00'))), 'expired');
  t.equal(await refused(policy, await site.bundle(6, 1, until('04T12:05'))), 'taken', 'an end only narrows');
  const end = asked(policy);
  t.match(end, { rule: 'granted', notAfterBy: 'policy' });
  if (end.outcome === 'grant') t.equal(String(end.notAfter), '2026-03-04T12:05:00Z');
  t.match(asked(policy, at('2026-03-04T12:05')), { rule: 'policy.expired' });
  t.equal(
    await refused(policy, await site.bundle(7, 1, until('04T12:06'))),
    'needs-two-signatures',
    'a later one widens',
  );
  const longer = (payload: Json) => Object.assign(until('04T12:05')(payload), { validOfflineH: 73 });
  t.equal(await refused(policy, await site.bundle(7, 1, longer)), 'needs-two-signatures');
});

t.test('a bundle from headquarters is in force at once, and the same again changes nothing', async (t) => {
  const memory = new Memory();
  const site = await signedSite(t);
  const policy = await witnessed(site, memory);
  t.teardown(() => policy.close());
  let changes = 0;
  t.match(await policy.arrived(await site.bundle(1, 2)), { state: 'failed' }, 'not before the gateway is up');
  policy.watch(noonClock, () => {
    changes += 1;
  });
  t.match(await policy.arrived(await site.bundle(1, 1)), { state: 'refused', why: 'needs-two-signatures' });
  const good = await site.bundle(1, 2);
  t.match(await policy.arrived(good), { state: 'done', version: 1, wasInForce: false });
  t.match(await policy.arrived(good), { state: 'done', version: 1, wasInForce: true });
  t.equal(changes, 1);
  t.equal(memory.events.length, 1);
  t.same(policy.status(), { policy: { version: '1' } });
});

t.test('a bundle joins the folder’s levels, and can widen none of them', async (t) => {
  const site = await signedSite(t);
  await site.folder.edit('wings', (wings) => {
    for (const wing of wings) wing.windows = [{ days: ['wed'], from: '08:00', to: '18:00' }];
  });
  const policy = await open(site);
  mkdirSync(join(site.folder.path, 'data'), { recursive: true });
  const level = { windows: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '10:00', to: '22:00' }] };
  await policy.offer(
    await site.bundle(1, 2, (p) =>
      Object.assign(p.content, { wings: { a: level }, handsets: { 'a-101': { enabled: true } } }),
    ),
    NOON,
  );
  const brussels = (wall: string) => asked(policy, at(wall, 'Europe/Brussels')).rule;
  t.equal(brussels('2026-03-04T09:30'), 'window.wing', 'closed by the bundle');
  t.equal(brussels('2026-03-04T18:30'), 'window.wing', 'closed by the folder');
  t.equal(brussels('2026-03-04T12:00'), 'granted');
  t.equal(brussels('2026-03-05T12:00'), 'window.wing');
});
