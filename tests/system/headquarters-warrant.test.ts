/** A warrant as headquarters' order: signed and sent from its command line, kept by the gateway, in force for the next call. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import t, { type Test } from 'tap';
import { newSigningKey, signValue } from '../../scripts/headquarters/sign-command.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { balise } from '../cli/terminal.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { GATEWAY, Headquarters } from '../peers/headquarters.js';
import { needs } from '../peers/needs.js';
import { makeSite } from '../peers/site.js';

const opts = needs('mosquitto');
const said = { type: 'warrant', reason: 'court order', by: 'duty desk' } as const;

/** A running gateway with headquarters' command line. */
async function world(t: Test, doesRecord: boolean) {
  const headquarters = await Headquarters.start(t);
  const recipient = await identityToRecipient(await generateIdentity());
  const media = {
    ...{ driver: 'relay', cellAddress: '127.0.0.1', carrierAddress: '127.0.0.1', ports: null },
    ...(doesRecord && { recording: { recipient, days: 30, reserveMb: 0 } }),
  };
  const folder = makeSite(t, await freePort(), { site: { media }, uplink: headquarters.uplink });
  await GatewayProcess.start(t, folder);
  await headquarters.state('presence', ({ state }) => state === 'online');
  const desk = t.testdir({});
  const config = join(desk, 'headquarters.json');
  const signingKey = join(desk, 'hq.jwk');
  writeFileSync(signingKey, JSON.stringify(headquarters.key));
  const listen = { address: '127.0.0.1', port: 0 };
  writeFileSync(
    config,
    JSON.stringify({ url: headquarters.broker.url, database: 'sqlite::memory:', listen, signingKey }),
  );
  const run = (...words: readonly string[]) => balise(['headquarters', ...words, '--config', config]);
  return { headquarters, run, warrants: join(folder, 'data', 'warrants'), file: join(desk, 'warrant.jws') };
}

const HOUR = { hours: 1 } as const;

t.test(
  'a warrant is signed and sent from the command line, kept once, and stands in the audit chain',
  opts,
  async (t) => {
    const { headquarters, run, warrants, file } = await world(t, true);
    const now = headquarters.clock.wall();
    const words = ['--from', String(now), '--until', String(now.add(HOUR))];
    t.match(await run('sign-warrant', '--id', 'w-7', ...words), { status: 64, stderr: /--person or --number/ });
    t.match(await run('sign-warrant', '--person', 'p-1', ...words), { status: 64, stderr: /--id/ });
    t.match(await run('sign-warrant', '--id', 'w-7', '--person', 'p-1', '--from', 'now', '--until', 'later'), {
      status: 64,
      stderr: /2026-03-04T08:00:00Z/,
    });
    const signed = await run('sign-warrant', '--id', 'w-7', '--person', 'p-1', ...words);
    t.equal(signed.status, 0, signed.stderr);
    writeFileSync(file, signed.stdout);
    t.match(await run('warrant', file), { status: 64, stderr: /--gateway/ });
    t.match(await run('warrant', file, '--gateway', GATEWAY), {
      status: 0,
      stdout: /test\/gw-1: the warrant is taken/,
    });
    t.match((await headquarters.event('balise.recording.warranted')).data, { warrant: 'w-7', of: 'p-1' });
    t.match(await headquarters.order({ ...said, jws: signed.stdout.trim() }), {
      state: 'done',
      result: { warrant: 'w-7' },
    });
    t.equal(readdirSync(warrants).length, 1, 'the same one again changes nothing');
    t.equal(headquarters.events.filter(({ type }) => type === 'balise.recording.warranted').length, 1);
    t.same(headquarters.faults, []);
  },
);

t.test('what is forged, over, malformed or doubled is acknowledged with why, and nothing is kept', opts, async (t) => {
  const { headquarters, warrants } = await world(t, true);
  const now = headquarters.clock.wall();
  const warrant = { id: 'w-1', person: 'p-1', from: String(now.subtract(HOUR)), until: String(now.add(HOUR)) };
  const stranger = (await newSigningKey('hq-test')).privateJwk;
  const order = (jws: string) => headquarters.order({ ...said, jws });
  t.match(await order(await signValue(stranger, warrant)), {
    state: 'failed',
    why: 'warrant.not-signed',
    detail: /commandKeys/,
  });
  const over = { ...warrant, until: String(now.subtract({ minutes: 1 })) };
  t.match(await order(await signValue(headquarters.key, over)), { state: 'failed', why: 'warrant.over' });
  const both = { ...warrant, number: '+442079460001' };
  t.match(await order(await signValue(headquarters.key, both)), { state: 'failed', why: 'warrant.malformed' });
  t.match(
    await headquarters.order({ ...said, jws: await signValue(headquarters.key, warrant) }, stranger),
    { state: 'refused', why: 'bad-signature' },
    'a genuine warrant in somebody else’s order',
  );
  t.same(readdirSync(warrants), []);
  t.match(await order(await signValue(headquarters.key, warrant)), { state: 'done' });
  t.match(await order(await signValue(headquarters.key, { ...warrant, person: 'p-2' })), {
    state: 'failed',
    why: 'warrant.id-taken',
  });
  t.equal(readdirSync(warrants).length, 1);
});

t.test('a site that records nothing says so', opts, async (t) => {
  const { headquarters } = await world(t, false);
  const now = headquarters.clock.wall();
  const warrant = { id: 'w-1', person: 'p-1', from: String(now), until: String(now.add(HOUR)) };
  const ack = await headquarters.order({ ...said, jws: await signValue(headquarters.key, warrant) });
  t.match(ack, { state: 'failed', why: 'warrant.no-recording', detail: /media.recording/ });
});
