import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { newAuthority, newServer, type Pair } from '../../scripts/headquarters/certificates.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { Sipp } from './sipp.js';

const scenarios = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'tests', 'system', 'sipp');

/** Authorities and certificates of a test, as files. */
export async function tlsFiles(
  t: Test,
): Promise<{ readonly at: (name: string) => string; readonly carrier: Pair; readonly stranger: Pair }> {
  const folder = mkdtempSync(join(tmpdir(), 'balise-tls-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string): string => join(folder, name);
  const nowMs = Date.now();
  const [authority, other] = [await newAuthority('carriers', nowMs), await newAuthority('strangers', nowMs)];
  const ours = await newServer(['gateway.example'], authority, nowMs);
  writeFileSync(at('ca.pem'), authority.certificate);
  writeFileSync(at('gw.pem'), ours.certificate);
  writeFileSync(at('gw.key'), ours.key, { mode: 0o600 });
  return {
    at,
    carrier: await newServer(['127.0.0.1'], authority, nowMs),
    stranger: await newServer(['127.0.0.1'], other, nowMs),
  };
}

/** Debian's SIPp has no TLS: it speaks TCP behind a server that ends TLS before it, and its Contact says how it is reached. */
export async function tlsCarrier(t: Test, { certificate, key }: Pair, rtpPort: number) {
  const [port, behind] = await Promise.all([freePort(), freePort()]);
  let connections = 0;
  const open = new Set<Socket>();
  // SIPp gives a call up when its connection is closed: it has one for all that come, and answers by the newest of them.
  let behindUs: Socket | undefined;
  let newest: Socket | undefined;
  const toSipp = (): Socket => {
    if (behindUs !== undefined) return behindUs;
    behindUs = connect(behind, '127.0.0.1');
    behindUs.on('data', (chunk) => newest?.write(chunk));
    behindUs.on('error', () => newest?.destroy());
    behindUs.on('close', () => newest?.destroy());
    return behindUs;
  };
  const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.2' }, (socket) => {
    connections += 1;
    newest = socket;
    open.add(socket);
    const sipp = toSipp();
    socket.on('data', (chunk) => sipp.write(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  });
  // A gateway that does not trust us ends the handshake: that is what is tested.
  let refusals = 0;
  server.on('tlsClientError', () => {
    refusals += 1;
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const one of open) one.destroy();
    behindUs?.destroy();
    server.close();
  });
  const folder = mkdtempSync(join(tmpdir(), 'balise-scenario-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const scenario = join(folder, 'carrier.xml');
  const text = readFileSync(join(scenarios, 'carrier-answers.xml'), 'utf8');
  writeFileSync(scenario, text.replaceAll('[local_ip]:[local_port]>', `127.0.0.1:${port};transport=tls>`));
  const sipp = await Sipp.start(t, {
    scenario,
    port: behind,
    calls: 1,
    keys: { rtp_port: rtpPort },
    args: ['-t', 't1', '-d', '500'],
  });
  return { port, sipp, connections: () => connections, refusals: () => refusals };
}
