import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { handset, makeSite } from '../peers/site.js';
import { balise } from './terminal.js';

interface Found {
  readonly of: string;
  readonly is: string;
  readonly what: string;
  readonly todo: string;
}

async function findings(site: string, only: string): Promise<{ status: number; found: Found[] }> {
  const { status, stdout } = await balise(['doctor', site, '--only', only, '--json']);
  return { status, found: (JSON.parse(stdout) as { findings: Found[] }).findings };
}

async function takenPort(t: Test): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

t.test(
  'a port that another program has, and an address that the machine has not, are told with what to do',
  async (t) => {
    const port = await takenPort(t);
    const console_ = { address: '127.0.0.1', port };
    const bus = { address: '192.0.2.1', port: 1884 };
    const { status, found } = await findings(makeSite(t, 9, { site: { console: console_, bus } }), 'ports');
    t.equal(status, 1);
    t.match(
      found.filter(({ is }) => is === 'fault'),
      [
        { of: 'port of bus', what: /192.0.2.1 is no address of this machine/, todo: /ip address/ },
        { of: 'port of console', what: new RegExp(`127.0.0.1:${port} is taken`), todo: /ss -lnp/ },
      ],
    );
  },
);

t.test('a data folder that others may read, and a serial port that is not there, are faults', async (t) => {
  const transport = { kind: 'serial', path: '/dev/serial/by-id/none', baud: 9600 };
  const site = makeSite(t, 9, {
    boards: [{ id: 'b1', device: 'generic-8r8i', unit: 1, agent: 'modbus-1', transport }],
    handsets: [handset('a-101')],
  });
  mkdirSync(join(site, 'data'), { mode: 0o755 });
  chmodSync(join(site, 'data'), 0o755);
  t.match(await findings(site, 'data,serial'), {
    status: 1,
    found: [
      { of: 'data folder', is: 'fault', todo: /^chmod 700 / },
      { of: 'serial /dev/serial/by-id/none', is: 'fault', todo: /see the plug/ },
    ],
  });
  chmodSync(join(site, 'data'), 0o700);
  t.match(await findings(site, 'data'), { status: 0, found: [{ is: 'well' }] });
});

t.test('a certificate that ends soon is a note, and one that cannot be read a fault', async (t) => {
  const provisioning = { port: 0, tls: { cert: 'cell.pem', key: 'cell.key' } };
  const site = makeSite(t, 9, { site: { provisioning } });
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=cell'];
  const files = ['-keyout', join(site, 'cell.key'), '-out', join(site, 'cell.pem')];
  execFileSync('openssl', [...made, ...files, '-days', '3'], { stdio: 'ignore' });
  t.match(await findings(site, 'certificates'), { status: 0, found: [{ is: 'warning', todo: /before/ }] });
  execFileSync('openssl', [...made, ...files, '-days', '300'], { stdio: 'ignore' });
  t.match(await findings(site, 'certificates'), { status: 0, found: [{ is: 'well', what: /good until/ }] });
  execFileSync('cp', [join(site, 'cell.key'), join(site, 'cell.pem')]);
  t.match(await findings(site, 'certificates'), {
    status: 1,
    found: [{ is: 'fault', what: /has no certificate in it/ }],
  });
});

t.test('a trunk that answers is well, and one that nobody listens on is a fault', async (t) => {
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  socket.on('message', (message, { port, address }) => {
    const copied = message
      .toString()
      .split('\r\n')
      .filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
    socket.send(['SIP/2.0 200 OK', ...copied, 'Content-Length: 0', '', ''].join('\r\n'), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.match(await findings(makeSite(t, socket.address().port), 'trunks'), {
    status: 0,
    found: [{ of: 'trunk carrier', what: /^200 OK/ }],
  });
  t.match(await findings(makeSite(t, 9), 'trunks'), { status: 1, found: [{ is: 'fault', what: /nothing listens/ }] });
});

t.test('the rest of a demo machine is told in words, and each fault with what to do', async (t) => {
  const site = makeSite(t, 9);
  const { stdout } = await balise(['doctor', site, '--only', 'node,clock,zones,disk,gateway,prompts,phones,broker']);
  t.match(stdout, /^ok +node +Node \d/);
  t.match(stdout, /disk +\d+ MiB free/);
  t.match(stdout, /ok +prompts en +\d+ pieces/);
  t.match(stdout, /ok +gateway +none runs/);
  t.match(await balise(['doctor', site, '--only', 'weather']), {
    status: 64,
    stderr: /no check "weather"; there are node, clock/,
  });
  t.match(await balise(['doctor', '/nowhere']), { status: 78 });
});
