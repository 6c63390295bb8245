/** A call to the gateway's own work desk: nobody is called, so the handset's own rules judge it and nobody else's. */
import t from 'tap';
import { decide } from '../../gateway/policy/decide.js';
import { decideDesk } from '../../gateway/policy/desk.js';
import { handsetId, wingId } from '../../gateway/policy/ids.js';
import { compilePolicy } from '../../gateway/policy/policy.js';
import { type Facts, UNUSED } from '../../gateway/policy/request.js';
import { at, hoursOf, inputOf, NUMBER, type PolicyParts, window } from './sample-policy.js';

const NOON = at('2026-03-04T12:00');
const OPEN: Facts = {
  clock: { trusted: true },
  line: { fitted: true, hook: 'off', supervised: true, relay: 'connected' },
  lockdowns: [],
};
const DESK = { handset: handsetId('a-101'), dialled: '*1', desk: true } as const;

const ask = (parts: PolicyParts, facts: Partial<Facts> = {}, when = NOON) =>
  decideDesk(compilePolicy(inputOf(parts)), { ...OPEN, ...facts }, DESK, when);

const WRAP_UP_MS = 75_000;
const kept = (parts: PolicyParts, facts: Partial<Facts> = {}, untilMs = NOON.epochMilliseconds + WRAP_UP_MS) => {
  const request = { ...DESK, wrapUp: { forMs: WRAP_UP_MS, untilMs } };
  return decideDesk(compilePolicy(inputOf(parts)), { ...OPEN, ...facts }, request, NOON);
};

t.test('the desk is open for as long as the handset’s hours, whoever may be called then', async (t) => {
  const closed = { callingHours: [hoursOf('GB', [window('01:00', '01:01')])], profile: { allow: [] } };
  const decision = ask({ ...closed, handset: [window('08:00', '16:30')], wing: [window('07:00', '20:00')] });
  t.match(decision, { outcome: 'grant', number: '', trunks: [], notAfterBy: 'window.handset', earlyMedia: false });
  if (decision.outcome === 'grant') t.ok(decision.notAfter.equals(at('2026-03-04T16:30')));
});

t.test(
  'the desk listens for the time of wrap-up after the hours, and after nothing else that ends a lease',
  async (t) => {
    const request = { ...DESK, wrapUp: { forMs: WRAP_UP_MS } };
    const until = (parts: PolicyParts, facts: Partial<Facts> = {}) => {
      const decision = decideDesk(compilePolicy(inputOf(parts)), { ...OPEN, ...facts }, request, NOON);
      return decision.outcome === 'grant' ? [decision.notAfter.toString(), decision.notAfterBy] : decision;
    };
    const hours = { handset: [window('08:00', '16:30')] };
    const afterIt = at('2026-03-04T16:30').add({ milliseconds: WRAP_UP_MS });
    t.same(until(hours), [afterIt.toString(), 'window.handset']);
    const policy = { is: 'good', expiresMs: afterIt.epochMilliseconds - 1 } as const;
    t.same(until(hours, { policy }), [afterIt.subtract({ milliseconds: 1 }).toString(), 'policy']);
    const from = at('2026-03-04T16:30').add({ seconds: 1 });
    const lockdowns = [{ target: { kind: 'site' }, from, reason: 'a drill' }] as const;
    t.same(until(hours, { lockdowns }), [from.toString(), 'lockdown']);
  },
);

t.test(
  'who has still to say how a call went may come back for it after the hours, and nothing else is opened',
  async (t) => {
    const closed = { handset: [window('08:00', '11:00')], wing: [window('08:00', '11:30')] };
    const untilMs = NOON.epochMilliseconds + WRAP_UP_MS;
    const decision = kept(closed);
    t.match(decision, { outcome: 'grant', notAfterBy: 'window.wing' });
    t.equal(decision.outcome === 'grant' && decision.notAfter.epochMilliseconds, untilMs);
    t.match(kept(closed, {}, NOON.epochMilliseconds), { rule: 'window.wing' }, 'not a moment longer');
    t.match(kept({ ...closed, enabled: false }), { rule: 'handset.disabled' });
    const lockdowns = [{ target: { kind: 'site' }, from: NOON, reason: 'a drill' }] as const;
    t.match(kept(closed, { lockdowns }), { rule: 'lockdown.site' });
    t.match(kept(closed, { clock: { trusted: false, why: 'stepped' } }), { rule: 'clock.untrusted' });
  },
);

t.test(
  'closed hours, a lockdown, a wire that is on the hook or a clock in doubt: nobody gets to the desk',
  async (t) => {
    const lockdowns = [{ target: { kind: 'wing', wing: wingId('a') }, from: NOON, reason: 'a drill' }] as const;
    const wired = { profile: { hookRequired: true } };
    t.match(ask({ handset: [window('08:00', '11:00')] }), { rule: 'window.handset', sipStatus: 480 });
    t.match(ask({}, { lockdowns }), { rule: 'lockdown.wing' });
    t.match(ask({ enabled: false }), { rule: 'handset.disabled' });
    t.match(ask(wired, { line: { ...OPEN.line, hook: 'on' } }), { rule: 'line.not-off-hook' });
    t.match(ask({}, { clock: { trusted: false, why: 'stepped' } }), { rule: 'clock.untrusted' });
  },
);

t.test('a contact may be called from a handset that may key codes alone, by every other rule of it', async (t) => {
  const policy = compilePolicy(inputOf({ profile: { tokenOnly: true, tokens: { '01': '+442079460002' } } }));
  const asked = { handset: handsetId('a-101'), dialled: NUMBER };
  const judged = (request: Parameters<typeof decide>[3]) => decide(policy, UNUSED, OPEN, request, NOON);
  t.match(judged(asked), { outcome: 'refusal', rule: 'dial.free-dialling' });
  t.match(judged({ ...asked, isContact: true }), { outcome: 'grant', number: NUMBER });
  t.match(judged({ ...asked, dialled: '+442079461001', isContact: true }), { rule: 'number.not-sanctioned' });
});
