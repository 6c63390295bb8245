/** The order of judgement: the first refusal wins. Each fault is added to all the later ones, and its rule is the one that is told. */
import t from 'tap';
import { RULES } from '../../gateway/policy/decision.js';
import { handsetId, personId, wingId } from '../../gateway/policy/ids.js';
import { JUDGEMENT } from '../../gateway/policy/judgement.js';
import type { Lockdown } from '../../gateway/policy/request.js';
import { inWords, LANGUAGES } from '../../gateway/policy/words/words.js';
import {
  type Asking,
  ask,
  explained,
  GOOD_FACTS,
  hoursOf,
  NOON,
  type PolicyParts,
  policyOf,
  used,
  window,
} from './sample-policy.js';

const NIGHT = [window('02:00', '03:00')];

t.test('the rules stand in one order, the stable list of rule ids', async (t) => {
  const judged = JUDGEMENT.map(({ id }) => id);
  t.same(
    judged,
    RULES.filter((rule) => (judged as readonly string[]).includes(rule)),
  );
});

t.test('of all that speaks against a call, the first rule in the order is told', async (t) => {
  const lockdown = (target: Lockdown['target']): Lockdown => ({ target, from: NOON, reason: 'drill' });
  const locks = [
    lockdown({ kind: 'site' }),
    lockdown({ kind: 'wing', wing: wingId('a') }),
    lockdown({ kind: 'handset', handset: handsetId('a-101') }),
    lockdown({ kind: 'person', person: personId('p-1') }),
  ];
  const limits = { attemptsPerDay: 1, callsPerDay: 1, talkPerDayS: 1, gapS: 60 };
  const tired = used({ attempts: 1, calls: 1, talkMs: 1_000, live: 1, lastEndedAt: NOON });
  const all: PolicyParts = {
    enabled: false,
    profile: { hookRequired: true, tokenOnly: true, block: ['+44*'], allow: ['+33*'], windows: NIGHT, ...limits },
    site: { windows: NIGHT },
    wing: NIGHT,
    callingHours: [hoursOf('GB', NIGHT)],
  };
  const withProfile = (parts: PolicyParts, more: PolicyParts['profile']): PolicyParts => ({
    ...parts,
    profile: { ...parts.profile, ...more },
  });
  // From everything wrong to nothing wrong: each step mends what was told last.
  let parts = all;
  let asking: Asking = {
    dialled: 'nonsense',
    person: personId('p-1'),
    usage: tired,
    facts: {
      clock: { trusted: false, why: 'not synchronised' },
      line: { fitted: true, hook: 'on', supervised: false, relay: 'open' },
      lockdowns: locks,
    },
  };
  const told = (rule: string) => {
    const decision = ask(policyOf(parts), NOON, asking);
    t.equal(decision.outcome === 'refusal' ? decision.rule : 'granted', rule);
  };
  const facts = (more: Asking['facts']) => {
    asking = { ...asking, facts: { ...asking.facts, ...more } };
  };
  told('clock.untrusted');
  facts({ clock: { trusted: true } });
  for (const rule of ['lockdown.site', 'lockdown.wing', 'lockdown.handset', 'lockdown.person']) {
    told(rule);
    locks.shift();
    facts({ lockdowns: [...locks] });
  }
  asking = { ...asking, handset: 'b-1' };
  told('handset.unknown');
  asking = { ...asking, handset: 'a-101' };
  told('handset.disabled');
  parts = { ...parts, enabled: true };
  told('line.unsupervised');
  facts({ line: { ...GOOD_FACTS.line, hook: 'on' } });
  told('line.not-off-hook');
  facts({ line: GOOD_FACTS.line });
  told('dial.malformed');
  asking = { ...asking, dialled: '112' };
  told('dial.free-dialling');
  parts = withProfile(parts, { tokenOnly: false });
  told('number.class');
  asking = { ...asking, dialled: '+442079460001' };
  told('number.blocked');
  parts = withProfile(parts, { block: [] });
  told('number.not-sanctioned');
  parts = withProfile(parts, { allow: ['+44*'] });
  told('window.site');
  parts = { ...parts, site: {} };
  told('window.wing');
  parts = { ...parts, wing: undefined as never };
  told('window.handset');
  parts = withProfile(parts, { windows: undefined as never });
  told('window.callee');
  parts = { ...parts, callingHours: [hoursOf('GB')] };
  for (const [rule, without] of [
    ['limit.attempts', { attemptsPerDay: undefined as never }],
    ['limit.gap', { gapS: 0 }],
    ['limit.calls', { callsPerDay: undefined as never }],
    ['limit.talk', { talkPerDayS: undefined as never }],
    ['limit.concurrent', { concurrent: 2 }],
  ] as const) {
    told(rule);
    parts = withProfile(parts, without);
  }
  told('granted');
});

t.test('garbage keyed at a handset that dials codes is malformed before it is free dialling', async (t) => {
  const policy = policyOf({ profile: { tokenOnly: true, tokens: { '01': '+442079460001' } } });
  t.match(ask(policy, NOON, { dialled: 'garbage' }), { rule: 'dial.malformed', sipStatus: 484 });
  t.match(ask(policy, NOON, { dialled: '02079460001' }), { rule: 'dial.free-dialling', sipStatus: 403 });
  t.match(ask(policy, NOON, { dialled: '02' }), { rule: 'dial.free-dialling' });
  t.match(ask(policy, NOON, { dialled: '01' }), { outcome: 'grant', number: '+442079460001' });
  t.match(ask(policy, NOON, { dialled: 'sip:01@balise' }), { outcome: 'grant' });
  t.match(ask(policy, NOON, { dialled: 'constructor' }), { rule: 'dial.malformed' }, 'a word is no code');
});

t.test('without its controller, what the wire says of the hook is worth nothing', async (t) => {
  const policy = policyOf({ profile: { hookRequired: true } });
  const line = { fitted: true, hook: 'on', supervised: false, relay: 'open' } as const;
  t.match(ask(policy, NOON, { facts: { line } }), { rule: 'line.unsupervised', sipStatus: 503 });
  t.match(ask(policy, NOON, { facts: { line: { ...line, fitted: false } } }), { rule: 'line.unsupervised' });
  t.match(ask(policy, NOON, { facts: { line: { ...line, supervised: true } } }), { rule: 'line.not-off-hook' });
  t.match(ask(policy, NOON, { facts: { line: { ...line, supervised: true, hook: 'unknown' } } }), {
    rule: 'line.not-off-hook',
  });
  t.equal(ask(policyOf(), NOON, { facts: { line } }).outcome, 'grant', 'a profile that asks for no hook');
});

t.test('an explanation judges every rule in order, whatever an earlier one said', async (t) => {
  const { judged, decision } = explained(policyOf({ site: { windows: NIGHT }, profile: { allow: [] } }));
  t.same(
    judged.map(({ rule }) => rule),
    JUDGEMENT.map(({ id }) => id),
  );
  t.same(
    judged
      .filter(({ verdict }) => verdict === 'refuses')
      .map(({ rule, facts }) => [rule, facts.map((fact) => inWords(fact))]),
    [
      ['number.not-sanctioned', ['the number is on no allow list of this handset']],
      ['window.site', ['it is 12:00 here, outside the hours of the site; opens 2026-03-05 02:00']],
    ],
  );
  t.match(decision, { rule: 'number.not-sanctioned' });
});

t.test('an explanation notes what the rules that pass rest on', async (t) => {
  const parts: PolicyParts = { site: { windows: [window('08:00', '20:00')] }, profile: { callsPerDay: 3 } };
  const { judged } = explained(policyOf(parts), NOON, { usage: used({ calls: 1 }) });
  const noted = judged.flatMap(({ rule, facts }) => facts.map((fact) => `${rule}: ${inWords(fact)}`));
  t.same(
    noted.filter((line) => !line.startsWith('window.callee')),
    ['window.site: it is 12:00; open until 20:00', 'limit.calls: 1 of 3 calls of this handset today'],
  );
});

t.test('the languages of technicians say the same facts, each in its own words', async (t) => {
  const { judged } = explained(policyOf({ site: { windows: NIGHT } }));
  const fact = judged.find(({ rule }) => rule === 'window.site')?.facts[0];
  if (fact === undefined) throw new Error('no such rule');
  t.equal(inWords(fact, 'fr'), 'il est 12:00 ici, hors des heures du site; ouvre 2026-03-05 02:00');
  t.equal(inWords(fact, 'nl'), 'het is hier 12:00, buiten de uren van de site; opent 2026-03-05 02:00');
});

t.test('block beats allow, and lists by name count as if they were written out', async (t) => {
  const lists = { good: ['+442079460001', '+442079460002'], bad: ['+442079460002'] };
  const policy = policyOf({ lists, profile: { allow: [], lists: { allow: ['good'], block: ['bad'] } } });
  t.equal(ask(policy).outcome, 'grant');
  t.match(ask(policy, NOON, { dialled: '+442079460002' }), { rule: 'number.blocked' });
  t.match(ask(policy, NOON, { dialled: '+442079460003' }), { rule: 'number.not-sanctioned' });
});

t.test('a code is sanctioned by being one, and blocked all the same', async (t) => {
  const tokens = { '7': '+442079460007' };
  t.match(ask(policyOf({ profile: { allow: [], tokens } }), NOON, { dialled: '7' }), { outcome: 'grant' });
  const blocked = policyOf({ profile: { allow: [], tokens, block: ['+442079460007'] } });
  t.match(ask(blocked, NOON, { dialled: '7' }), { rule: 'number.blocked' });
});

t.test('no refusal quotes the called number', async (t) => {
  const policy = policyOf({ profile: { block: ['+442079460002'], windows: NIGHT } });
  for (const dialled of ['+442079460001', '+442079460002', '+33199000001', '+881612345678']) {
    const { judged } = explained(policy, NOON, { dialled });
    for (const fact of judged.flatMap(({ facts }) => facts)) {
      for (const language of LANGUAGES) t.notMatch(inWords(fact, language), dialled.slice(-6));
    }
  }
});
