/** Policy that changes while the whole program runs: bundles and do-not-call lists, from the command line to the wire. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { signBundle } from '../../gateway/policy-bundle/bundle.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { balise } from '../cli/terminal.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { carrierPeer, handsetPeer } from '../peers/scenario.js';
import { makeSite, profile } from '../peers/site.js';

const ALLOWED = '+442079460001';

/** A gateway that takes its policy from bundles, and what a test does with it. */
async function signedGateway(t: Test) {
  const keys = await Promise.all(['one', 'two'].map((kid) => newSigningKey(kid)));
  const trunkPort = await freePort();
  const site = makeSite(t, trunkPort, { site: { policy: { keys: keys.map(({ publicJwk }) => publicJwk) } } });
  const running = await GatewayProcess.start(t, site);
  const probe = await RtpProbe.open(t);
  const isRefused = async (rule: string, status: number) => {
    const from = running.lines.length;
    const user = { user: 'a101', dialled: ALLOWED, port: running.port('cell'), rtpPort: 9 };
    const near = await handsetPeer(t, { ...user, scenario: 'handset-refused', status });
    t.equal((await near.exited).code, 0, rule);
    t.match(await running.logged((line) => line.event === 'call.ended', from), { cause: 'refused', rule });
  };
  /** Signs a policy with the first `signers` keys, applies it, and waits until the gateway has taken it. */
  const apply = async (version: number, signers: number, more: Record<string, unknown>) => {
    const content = { profiles: [profile(more)], lists: {} };
    const payload = { site: 'test', version, validFrom: '2026-01-01T00:00:00Z', validOfflineH: 24, content };
    let text = '';
    for (const { privateJwk } of keys.slice(0, signers)) {
      text = await signBundle(Buffer.from(JSON.stringify(payload)), privateJwk, text);
    }
    writeFileSync(join(site, 'policy.jws'), text);
    const from = running.lines.length;
    const done = await balise(['policy', 'apply', '--site', site, join(site, 'policy.jws')]);
    if (done.status === 0)
      await running.logged((line) => line.event === 'policy.changed' && line.version === version, from);
    return done;
  };
  return { site, running, probe, trunkPort, apply, isRefused };
}

t.test('without a signed policy nothing is granted; with one a call is, until a narrower one ends it', async (t) => {
  const { running, probe, trunkPort, apply, isRefused } = await signedGateway(t);
  await isRefused('policy.missing', 503);
  t.match(await apply(1, 1, {}), { status: 1, stderr: /needs-two-signatures/ });
  t.equal((await apply(1, 2, {})).status, 0);

  const far = await carrierPeer(t, 'carrier-answers', trunkPort, probe.port);
  const near = await handsetPeer(t, {
    scenario: 'handset-waits',
    user: 'a101',
    dialled: ALLOWED,
    port: running.port('cell'),
    rtpPort: probe.port,
  });
  probe.talkTo(await near.audioPort());
  await probe.heard(5);
  const from = running.lines.length;
  t.equal((await apply(2, 1, { block: ['+4420794600*'] })).status, 0);
  t.match(await near.exited, { code: 0 }, 'the handset hears BYE');
  t.match(await far.exited, { code: 0 }, 'and so does the far end');
  t.match(await running.logged((line) => line.event === 'call.ended', from), { cause: 'deadline' });
  await isRefused('number.blocked', 403);
  t.match(await apply(3, 1, {}), { status: 1, stderr: /needs-two-signatures.*blocked no longer/ });
  await isRefused('number.blocked', 403);
});

t.test('a do-not-call list is in force for the next call, and an old one refuses every call', async (t) => {
  const { site, running, apply, isRefused } = await signedGateway(t);
  t.equal((await apply(1, 2, { doNotCall: [{ list: 'tps', mostAgeH: 24 }] })).status, 0);
  await isRefused('dnc.stale', 503);
  const list = async (made: string, text: string) => {
    const from = running.lines.length;
    const done = await balise(['dnc', 'import', '--site', site, '--list', 'tps', '--made', made, '-'], text);
    t.equal(done.status, 0, done.stderr);
    await running.logged((line) => line.event === 'policy.changed', from);
  };
  await list(new Date().toISOString(), `${ALLOWED}\n`);
  await isRefused('dnc.listed', 403);
  await list('2026-01-01T00:00Z', '+442079460002\n');
  await isRefused('dnc.stale', 503);
  t.notOk(readFileSync(join(site, 'gateway.log'), 'utf8').includes('"level":60'), 'nothing fatal');
});
