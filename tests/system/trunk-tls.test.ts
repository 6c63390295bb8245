/** A carrier that is reached by TLS: the whole program, SIPp behind TLS, and certificates of the test's own authorities. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { balise } from '../cli/terminal.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { handsetPeer } from '../peers/scenario.js';
import { makeSite } from '../peers/site.js';
import { tlsCarrier, tlsFiles } from '../peers/tls-carrier.js';

const LOOPBACK = { address: '127.0.0.1', port: 0 };
const SIP = { realm: 'balise', engine: 'embedded', cell: LOOPBACK, carrier: LOOPBACK };
const trunk = (port: number) => ({
  ...{ id: 'carrier', host: '127.0.0.1', port, transport: 'tls', register: false, optionsS: 0 },
  ...{ callerIdentity: '+442079460900', networks: ['127.0.0.0/8'] },
});

function siteWith(t: Test, port: number, at: (name: string) => string): string {
  const carrierTls = { ...LOOPBACK, cert: 'gw.pem', key: 'gw.key', ca: 'ca.pem' };
  const site = makeSite(t, 9, { trunks: [trunk(port)], site: { sip: { ...SIP, carrierTls } } });
  for (const name of ['gw.pem', 'gw.key', 'ca.pem']) copyFileSync(at(name), join(site, name));
  return site;
}

t.test(
  'a call goes out by TLS to a carrier whose certificate is trusted, and ends on both legs',
  needs('sip-tester'),
  async (t) => {
    const [files, trunkProbe, cell] = await Promise.all([tlsFiles(t), RtpProbe.open(t), RtpProbe.open(t)]);
    const carrier = await tlsCarrier(t, files.carrier, trunkProbe.port);
    const running = await GatewayProcess.start(t, siteWith(t, carrier.port, files.at));
    const near = await handsetPeer(t, {
      ...{ scenario: 'handset-hangs-up', user: 'a101', dialled: '+442079460001' },
      ...{ port: running.port('cell'), rtpPort: cell.port },
    });
    t.match(
      await Promise.all([near.exited, carrier.sipp.exited]),
      [{ code: 0 }, { code: 0 }],
      'INVITE, ACK and BYE came',
    );
    t.match(await running.logged(({ event }) => event === 'call.ended'), { cause: 'handset-hung-up' });
    const [invite] = carrier.sipp.messages;
    t.match(invite?.text, /^Via: SIP\/2\.0\/TLS 127\.0\.0\.1:\d+/m);
    t.match(invite?.text, /^Contact: .*;transport=tls>/m);
    t.equal(carrier.connections(), 1, 'all of it by one connection');
  },
);

t.test(
  'a leg by TLS that a killed gateway and its engine left up is ended by the next gateway',
  needs('sip-tester'),
  async (t) => {
    const [files, trunkProbe, cell] = await Promise.all([tlsFiles(t), RtpProbe.open(t), RtpProbe.open(t)]);
    const carrier = await tlsCarrier(t, files.carrier, trunkProbe.port);
    const site = siteWith(t, carrier.port, files.at);
    const running = await GatewayProcess.start(t, site);
    await handsetPeer(t, {
      ...{ scenario: 'handset-waits', user: 'a101', dialled: '+442079460001' },
      ...{ port: running.port('cell'), rtpPort: cell.port },
    });
    await running.logged(({ event, state }) => event === 'call.state' && state === 'talking');
    process.kill(running.pidOf('engine'), 'SIGKILL');
    running.kill('SIGKILL');
    await running.exited;
    const again = await GatewayProcess.start(t, site);
    t.match(await again.logged(({ event }) => event === 'calls.recovered'), { calls: 1 });
    t.match(await carrier.sipp.exited, { code: 0 }, 'BYE came');
    t.equal(carrier.connections(), 2, 'by a connection of the next one');
  },
);

t.test(
  'a carrier whose certificate nobody vouches for gets no call, and is told of by balise',
  needs('sip-tester'),
  async (t) => {
    const [files, cell] = await Promise.all([tlsFiles(t), RtpProbe.open(t)]);
    const carrier = await tlsCarrier(t, files.stranger, 9);
    const site = siteWith(t, carrier.port, files.at);
    t.match(await balise(['trunk', 'test', '--site', site]), {
      status: 1,
      stdout: /by no authority that is trusted here: see sip\.carrierTls\.ca/,
    });
    const before = carrier.connections() + carrier.refusals();
    const running = await GatewayProcess.start(t, site);
    const near = await handsetPeer(t, {
      ...{ scenario: 'handset-refused', status: 503, user: 'a101', dialled: '+442079460001' },
      ...{ port: running.port('cell'), rtpPort: cell.port },
    });
    await near.exited;
    t.match(await running.logged(({ event }) => event === 'call.ended'), { cause: 'trunk-failed' });
    t.ok(carrier.connections() + carrier.refusals() > before, 'the carrier was tried');
    t.same(carrier.sipp.messages, [], 'and nothing of the call went out');
  },
);

t.test('a trunk with TLS on a site that has none is a fault that says what to do', async (t) => {
  const site = makeSite(t, 9, { trunks: [trunk(5061)] });
  t.match(await balise(['check', site]), {
    status: 78,
    stderr: /carrierTls[\s\S]*an address, a certificate and a key/,
  });
});
