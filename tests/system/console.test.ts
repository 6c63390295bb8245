/** The console of the whole program, asked over its local socket and over the network. */
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { CallsView, CallView } from '../../gateway/console/api/calls.js';
import type { HandsetPage } from '../../gateway/console/api/handsets.js';
import type { WeekView, WhenView } from '../../gateway/console/api/hours.js';
import type { AuditView, StatusView } from '../../gateway/console/api/site.js';
import { GatewayClient } from '../../scripts/cli/gateway-client.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { handsetPeer } from '../peers/scenario.js';
import { makeSite, profile } from '../peers/site.js';

const UNSANCTIONED = '+442079461234';

t.test('a refused call is found in the history, and every rule says how it stood', needs('sip-tester'), async (t) => {
  const site = makeSite(t, await freePort(), { profiles: [profile({ prompts: false })] });
  const running = await GatewayProcess.start(t, site);
  const client = await GatewayClient.of(site);
  const near = await handsetPeer(t, {
    scenario: 'handset-refused',
    user: 'a101',
    dialled: UNSANCTIONED,
    port: running.port('cell'),
    rtpPort: await freePort(),
    status: 403,
  });
  t.match(await near.exited, { code: 0 });
  await running.logged((line) => line.event === 'call.ended');

  const { calls } = await client.ask<CallsView>('GET', '/api/calls?outcome=refused');
  t.match(calls, [{ handset: 'a-101', cause: 'refused', rule: 'number.not-sanctioned', attempted: false }]);
  const call = await client.ask<CallView>('GET', `/api/calls/${calls[0]?.call}`);
  t.match(call, { state: 'ended', rule: 'number.not-sanctioned', sipStatus: 403, wing: 'a' });
  t.match(
    call.why?.find(({ verdict }) => verdict === 'refuses'),
    { rule: 'number.not-sanctioned', words: [String] },
  );
  t.ok((call.why?.length ?? 0) > 15, 'the rules that pass are there too');
  t.ok((call.steps?.length ?? 0) > 0);
  const page = await client.ask<HandsetPage>('GET', '/api/handsets/a-101');
  t.match(page, {
    user: 'a101',
    profile: 'test',
    view: { rule: 'number.not-sanctioned' },
    lastCalls: [{ cause: 'refused' }],
  });

  const everything = JSON.stringify([
    calls,
    call,
    page,
    await client.ask('GET', '/api/view'),
    await client.ask('GET', '/api/audit?limit=200'),
  ]);
  t.notMatch(everything, /2079461234/, 'no answer has the number');
  t.notMatch(everything, /numberToken|ha1|secret/i);

  await running.end();
  const again = await GatewayProcess.start(t, site);
  const { calls: kept } = await client.ask<CallsView>('GET', '/api/calls?handset=a-101&limit=1');
  t.match(kept, [{ call: call.call, rule: 'number.not-sanctioned' }], 'a restart forgets no call');
  t.match((await client.ask<{ ended: unknown[] }>('GET', '/api/view')).ended, [{ call: call.call }]);
  const told = await client.ask<CallView>('GET', `/api/calls/${call.call}`);
  t.same(told.why, call.why, 'and no reason: every rule says what it said before');
  await again.end();
});

t.test('what is asked of policy, ordered and tested by the console is the site’s own', async (t) => {
  const site = makeSite(t, 9, { callingHours: undefined });
  const running = await GatewayProcess.start(t, site);
  const link = running.lines.find(({ event }) => event === 'console.first-link');
  t.match(link?.url, new RegExp(`^http://127.0.0.1:${running.port('console')}/#/first\\?token=`));
  const client = await GatewayClient.of(site);
  t.match(await client.ask<StatusView>('GET', '/api/status'), {
    handsets: { all: 1, registered: 0 },
    policy: { source: 'folder', state: 'good' },
    troubles: [],
  });

  const week = await client.ask<WeekView>('GET', '/api/handsets/a-101/week?zone=Europe/Istanbul&from=2026-03-02');
  t.match(week, { zone: 'Europe/Istanbul', siteZone: 'Europe/London' });
  t.same(week.days.map(({ date }) => date).slice(0, 2), ['2026-03-02', '2026-03-03']);
  t.same(week.days[0]?.siteWindows, [{ from: '2026-03-02T00:00:00Z', until: '2026-03-03T00:00:00Z' }]);
  // The strictest set on file, at the callee's place: 10:00 to 13:00 and 14:00 to 20:00, three hours before UTC.
  t.same(week.days[0]?.zoneWindows, [
    { from: '2026-03-02T07:00:00Z', until: '2026-03-02T10:00:00Z' },
    { from: '2026-03-02T11:00:00Z', until: '2026-03-02T17:00:00Z' },
  ]);
  t.same(week.days[6]?.zoneWindows, [], 'none on a Sunday');
  await t.rejects(client.ask('GET', '/api/handsets/a-101/week?zone=Mars/Olympus'), {
    status: 400,
    message: /no IANA zone/,
  });
  await t.rejects(client.ask('GET', '/api/handsets/a-101/week?from=2026-02-31'), { message: /no date 2026-02-31/ });

  const when = (query: string) => client.ask<WhenView>('GET', `/api/handsets/a-101/when?${query}`);
  t.match(await when('number=%2B442079460001'), { allowedNow: true, zones: ['Europe/London'] });
  t.match(await when(`number=${encodeURIComponent(UNSANCTIONED)}`), {
    allowedNow: false,
    rule: 'number.not-sanctioned',
  });
  const turkey = await when('country=TR');
  t.equal(turkey.allowedNow, turkey.nextAllowed === undefined);
  await t.rejects(when('number=1&country=TR'), { message: /either number or country/ });

  const order = { target: { kind: 'site' }, reason: 'an inspection', holdS: 'until-released' };
  t.match(await client.ask('POST', '/api/cutoffs', order), { calls: 0, complete: true });
  t.match(await when('number=%2B442079460001'), { allowedNow: false, rule: 'lockdown.site' });
  t.match(await when('country=GB'), { allowedNow: false, rule: 'lockdown.site' });
  t.match((await client.ask<StatusView>('GET', '/api/status')).troubles, [/the whole site is cut: an inspection/]);
  t.match(await client.ask('GET', '/api/view'), {
    cut: { kind: 'site', reason: 'an inspection' },
    handsets: [{ cut: { kind: 'site' } }],
  });
  await client.ask('POST', '/api/releases', { target: { kind: 'site' } });
  t.match(await when('number=%2B442079460001'), { allowedNow: true });

  const { events } = await client.ask<AuditView>('GET', '/api/audit?limit=20');
  const changes = events.filter(({ type }) => type === 'balise.console.changed').map(({ data }) => data);
  t.match(changes, [
    {
      what: 'released',
      subject: 'site',
      role: 'local',
      from: 'socket',
      before: { reason: 'an inspection' },
      after: null,
    },
    {
      what: 'cut',
      subject: 'site',
      reason: 'an inspection',
      before: null,
      after: { holdS: 'until-released', calls: 0 },
    },
  ]);

  t.equal(statSync(client.socket).mode & 0o777, 0o600);
  await running.end();
  t.notOk(existsSync(client.socket), 'the socket goes with the gateway');
  await t.rejects(client.ask('GET', '/api/status'), { name: 'GatewayAway', message: /start it/ });
});

t.test('a gateway whose people cannot be read does not start, and says which file', async (t) => {
  const site = makeSite(t, 9);
  mkdirSync(join(site, 'data'));
  writeFileSync(join(site, 'data', 'people.json'), '{');
  t.match(await GatewayProcess.refused(t, site), { code: 78, stderr: /people\.json is no JSON/ });
});

t.test('a console whose certificate cannot be read does not open in clear instead', async (t) => {
  const site = makeSite(t, 9, {
    site: { console: { address: '127.0.0.1', port: 0, tls: { cert: 'keys/none.pem', key: 'keys/none.key' } } },
  });
  t.match(await GatewayProcess.refused(t, site), { code: 78, stderr: /console\.tls: .*none\.pem cannot be read/ });
});
