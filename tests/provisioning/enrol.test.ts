/**
 * From `balise handset add` to a call, with the real gateway: the phone is enrolled, its configuration fetched over HTTPS as
 * the phone would, and SIPp registers and calls with what is in that very file and nothing else.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { balise } from '../cli/terminal.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { carrierPeer } from '../peers/scenario.js';
import { Sipp } from '../peers/sipp.js';
import { handset, makeSite } from '../peers/site.js';

const opts = needs('sip-tester');
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const REGISTERS = join(root, 'tests', 'provisioning', 'sipp', 'handset-registers.xml');
const CALLS = join(root, 'tests', 'system', 'sipp', 'handset-hangs-up.xml');
const WAITS = join(root, 'tests', 'system', 'sipp', 'handset-waits.xml');
const [MAC, OTHER, THIRD] = ['c074ad000201', 'c074ad000202', 'c074ad000203'];

async function openSite(t: Test) {
  const trunkPort = await freePort();
  const provisioning = { port: 0, tls: { cert: 'cell.pem', key: 'cell.key' } };
  const site = makeSite(t, trunkPort, { site: { provisioning }, handsets: [handset('a-101')] });
  const subject = ['-subj', '/CN=gateway', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(site, 'cell.key')];
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-out', join(site, 'cell.pem')], { stdio: 'ignore' });
  const running = await GatewayProcess.start(t, site);
  const port = Number((running.ready.ports as Record<string, unknown>).provisioning);
  const agent = new Agent({ ca: readFileSync(join(site, 'cell.pem')), keepAlive: false });
  const fetched = (path: string, authorization?: string): Promise<{ status: number; headers: object; body: string }> =>
    new Promise((settle, fail) => {
      const headers = authorization === undefined ? {} : { authorization };
      get({ host: '127.0.0.1', port, path, agent, headers }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => {
          const { date: _, ...rest } = response.headers;
          settle({ status: response.statusCode ?? 0, headers: rest, body });
        });
      }).on('error', fail);
    });
  const register = (user: string, secret: string, userAgent: string) =>
    Sipp.start(t, {
      scenario: REGISTERS,
      remote: `127.0.0.1:${running.port('cell')}`,
      calls: 1,
      keys: { user, agent: userAgent },
      args: ['-au', user, '-ap', secret],
    });
  return { site, running, port, trunkPort, fetched, register };
}

/** A P-value of a Grandstream file, as the device would read it. */
const pValue = (body: string, name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? '';
const tokenIn = (text: string): string => /\/p\/([a-z0-9]+)\//.exec(text)?.[1] ?? '';
const alarmed = (running: GatewayProcess, code: string) =>
  running.logged((line) => line.event === 'alarm' && line.code === code);

t.test('from an enrolment to a call, on one site', opts, async (t) => {
  const { site, running, trunkPort, fetched, register } = await openSite(t);

  t.test(
    'an enrolled adapter fetches, registers and calls with what is in its file, and its token is then spent',
    async (t) => {
      const added = await balise([
        'handset',
        'add',
        site,
        'a-104',
        '--wing',
        'a',
        '--profile',
        'test',
        '--model',
        'HT802',
        '--mac',
        MAC,
        '--port',
        '2',
      ]);
      t.equal(added.status, 0, added.stderr);
      t.match(added.stdout, /the running gateway has taken it/);
      const path = `/p/${tokenIn(added.stdout)}/cfg${MAC}.xml`;
      const { status, body, headers } = await fetched(path);
      t.equal(status, 200);
      t.match(headers, { 'content-type': 'text/xml; charset=utf-8', 'cache-control': 'no-store' });

      const [user, secret] = [pValue(body, 'P735'), pValue(body, 'P734')];
      t.equal(user, 'a104');
      t.equal(pValue(body, 'P747'), `127.0.0.1:${running.port('cell')}`, 'the port that it really listens on');
      const registered = await register(user, secret, `Grandstream HT802 1.0.33.4 ${MAC}`);
      t.match(await registered.exited, { code: 0 });
      const shown = await balise(['handset', 'show', site, 'a-104']);
      t.match(shown, { status: 0, stdout: /enrolled: enrolled .*; registered from 127.0.0.1 as "Grandstream HT802/ });
      t.equal((await fetched(path)).status, 404, 'the token has done its work');

      const far = await carrierPeer(t, 'carrier-answers', trunkPort, (await RtpProbe.open(t)).port);
      const dialled = '+442079460001';
      const near = await Sipp.start(t, {
        scenario: CALLS,
        remote: `127.0.0.1:${running.port('cell')}`,
        calls: 1,
        keys: { user, dialled, rtp_port: (await RtpProbe.open(t)).port },
        args: ['-au', user, '-ap', secret, '-d', '300', '-auth_uri', `${dialled}@127.0.0.1:${running.port('cell')}`],
      });
      t.match(await near.exited, { code: 0 });
      t.match(await far.exited, { code: 0 });
      t.match(await running.logged((line) => line.event === 'call.ended'), {
        cause: 'handset-hung-up',
        handset: 'a-104',
      });
      t.notOk(
        running.lines.some((line) => JSON.stringify(line).includes(secret)),
        'no log line has the secret',
      );
    },
  );

  t.test('a phone that is not what was provisioned is an alarm, and shown', async (t) => {
    const added = await balise([
      'handset',
      'add',
      site,
      'a-105',
      '--wing',
      'a',
      '--profile',
      'test',
      '--model',
      'HT801',
      '--mac',
      OTHER,
    ]);
    const { body } = await fetched(`/p/${tokenIn(added.stdout)}/cfg${OTHER}.xml`);
    const peer = await register(pValue(body, 'P35'), pValue(body, 'P34'), 'MicroSIP/3.21.3');
    t.match(await peer.exited, { code: 0 });
    t.match(await alarmed(running, 'provisioning.mismatch'), {
      handset: 'a-105',
      message: /"MicroSIP\/3.21.3", and a Grandstream HT801/,
    });
    t.match(await balise(['handset', 'show', site, 'a-105']), {
      status: 1,
      stdout: /mismatch: it says that it is "MicroSIP/,
    });
    t.match((await balise(['handset', 'list', site])).stdout, /a-105 .* mismatch\n/);
  });

  t.test(
    'a running gateway takes what balise handset does: a disabled handset’s call ends, and the audit says who did it',
    async (t) => {
      const far = await carrierPeer(t, 'carrier-answers', trunkPort, (await RtpProbe.open(t)).port);
      const dialled = '+442079460001';
      const call = async () =>
        Sipp.start(t, {
          scenario: WAITS,
          remote: `127.0.0.1:${running.port('cell')}`,
          calls: 1,
          keys: { user: 'a101', dialled, rtp_port: (await RtpProbe.open(t)).port },
          args: ['-au', 'a101', '-ap', 'secret-a101', '-auth_uri', `${dialled}@127.0.0.1:${running.port('cell')}`],
        });
      const near = await call();
      await near.saw((message) => message.kind === '200');
      const disabled = await balise(['handset', 'disable', site, 'a-101']);
      t.match(disabled, { status: 0, stdout: /a-101: changed \(enabled\)\nthe running gateway has taken it\n/ });
      t.match(await near.exited, { code: 0 }, 'it was told by a BYE');
      t.match(await far.exited, { code: 0 });
      t.match(await running.logged((line) => line.event === 'call.ended' && line.handset === 'a-101'), {
        handset: 'a-101',
        cause: 'deadline',
      });

      const removed = await balise(['handset', 'remove', site, 'a-101']);
      t.match(removed, { status: 0, stdout: /removed/ });
      const { stdout } = await balise(['audit', 'export', join(site, 'data')]);
      const changes = stdout
        .split('\n')
        .flatMap((line) => (line.includes('balise.handset.changed') ? [JSON.parse(line).data] : []))
        .filter((data: { handset: string }) => data.handset === 'a-101');
      t.match(changes, [
        {
          handset: 'a-101',
          what: 'changed',
          fields: ['enabled'],
          before: { enabled: true },
          after: { enabled: false },
          command: 'handset disable a-101',
        },
        { handset: 'a-101', what: 'removed', before: { ha1: /^sha256:/ }, by: String, uid: Number },
      ]);
    },
  );

  t.test('every other request gets one and the same 404, and guessing is limited and alarmed', async (t) => {
    const added = await balise([
      'handset',
      'add',
      site,
      'a-106',
      '--wing',
      'a',
      '--profile',
      'test',
      '--model',
      'T54W',
      '--mac',
      THIRD,
    ]);
    const token = tokenIn(added.stdout);
    const basic = (password: string) => `Basic ${Buffer.from(`${THIRD}:${password}`).toString('base64')}`;
    t.match(await fetched(`/${THIRD}.cfg`), {
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="configuration"' },
    });
    t.match(await fetched('/805ec0000001.cfg'), { status: 401 });
    const wrong = [
      await fetched(`/p/${token}x/${THIRD}.cfg`),
      await fetched(`/p/${token}/805ec0000001.cfg`),
      await fetched('/p/none/805ec0000001.cfg'),
      await fetched(`/${THIRD}.cfg`, basic('guess')),
      await fetched('/p/..%2f..%2fetc/passwd'),
      await fetched(`/p/${token}`),
    ];
    for (const one of wrong) t.same(one, wrong[0]);
    t.match(wrong[0], { status: 404, body: 'not found\n' });
    t.match(await fetched(`/${THIRD}.cfg`, basic(token)), { status: 200, body: /account\.1\.user_name = a106\n/ });
    for (let times = 0; times < 10; times += 1) await fetched('/p/none/805ec0000001.cfg');
    t.match(await alarmed(running, 'provisioning.guessing'), { message: /127.0.0.1 asked ten times/ });
    t.equal((await fetched(`/p/${token}/${THIRD}.cfg`)).status, 404, 'now even the right one');
  });

  t.test('a change that the running gateway cannot take is refused by it, and it goes on as it was', async (t) => {
    const profiles = JSON.parse(readFileSync(join(site, 'profiles.json'), 'utf8'));
    writeFileSync(join(site, 'profiles.json'), JSON.stringify([...profiles, { ...profiles[0], id: 'new' }]));
    const added = await balise(['handset', 'add', site, 'a-107', '--wing', 'a', '--profile', 'new']);
    t.match(added, {
      status: 1,
      stderr: /NOT taken it; it goes on as it was\nhandset a-107 needs profile new, which is new: restart/,
    });
    t.match(await alarmed(running, 'site.reload-refused'), { message: /needs profile new/ });
    t.match(await balise(['handset', 'disable', site, 'a-107']), { status: 1 });
  });
});
