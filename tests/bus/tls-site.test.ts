import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { boardPeer } from '../peers/board-peer.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { handset, makeSite } from '../peers/site.js';

t.test('a site whose bus speaks TLS: its agents come in, and the wires are leased', async (t) => {
  const board = await boardPeer(t);
  const bus = { address: '127.0.0.1', port: 0, tls: { cert: 'bus.pem', key: 'bus.key', ca: 'bus.pem' } };
  const handsets = [handset('a-101', { line: board.line })];
  const site = makeSite(t, 9, { boards: board.boards, handsets, site: { bus } });
  const subject = ['-subj', '/CN=bus', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(site, 'bus.key')];
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-out', join(site, 'bus.pem')], { stdio: 'ignore' });
  const running = await GatewayProcess.start(t, site);
  await board.relayIs(0, true);
  const fromNs = process.hrtime.bigint();
  process.kill(running.pidOf('modbus-1'), 'SIGKILL');
  const openNs = await board.relayIs(0, false);
  t.ok(openNs - fromNs < 5_500_000_000n, 'its death opens the wire as ever');
});

t.test('a site whose bus has no certificate to show does not start, and says which file and what to do', async (t) => {
  const bus = { address: '127.0.0.1', port: 0, tls: { cert: 'bus.pem', key: 'bus.key', ca: 'bus.pem' } };
  const site = makeSite(t, 9, { site: { bus } });
  const missing = await GatewayProcess.refused(t, site);
  t.equal(missing.code, 78);
  for (const [name, file] of [
    ['cert', 'bus.pem'],
    ['key', 'bus.key'],
    ['ca', 'bus.pem'],
  ] as const) {
    t.match(missing.stderr, new RegExp(`site\\.json.*/bus/tls/${name}\\n +found +"${file}"`));
  }
  t.match(missing.stderr, /what to do +put it at .*bus\.key/);

  for (const file of ['bus.pem', 'bus.key']) writeFileSync(join(site, file), 'no PEM');
  const spoilt = await GatewayProcess.refused(t, site);
  t.equal(spoilt.code, 78);
  t.match(spoilt.stderr, /\/bus\/tls\n.*\n +expected +a certificate and the key that goes with it/);
});
