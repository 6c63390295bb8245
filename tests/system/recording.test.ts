/** A call under headquarters' warrant, on the whole program: what was said by either side is in the sealed file, and on record. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import t, { type Test } from 'tap';
import { programData } from '../../gateway/config/paths.js';
import { LAWS } from '../../gateway/media/relay/g711.js';
import { signValue } from '../../scripts/headquarters/sign-command.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { RtpParty } from '../media/rtp-party.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { Headquarters } from '../peers/headquarters.js';
import { needs } from '../peers/needs.js';
import { carrierPeer, handsetPeer } from '../peers/scenario.js';
import { makeSite } from '../peers/site.js';

const opts = needs('sip-tester', 'mosquitto', 'age');
const NUMBER = '+442079460001';
const PACKETS = 50;
const SAMPLES = 160;
const HEADER = 46;
const { pcma, pcmu } = LAWS;

/** A second of speech as SIPp's codec has it, and as a recording has that. */
function speechOf(language: string) {
  const prompt = readFileSync(programData('prompts', language, 'refused.blocked.alaw')).subarray(0, PACKETS * SAMPLES);
  const level = (decode: Int16Array, byte: number): number => (decode[byte] ?? 0) + 32_768;
  const sent = Buffer.from(prompt.map((byte) => pcmu.encode[level(pcma.decode, byte)] ?? 0));
  return { sent, kept: Buffer.from(sent.map((byte) => pcma.encode[level(pcmu.decode, byte)] ?? 0)) };
}

async function party(t: Test, ssrc: number): Promise<RtpParty> {
  const party = await RtpParty.at('127.0.0.1', ssrc);
  t.teardown(() => party.close());
  return party;
}

t.test(
  'both sides of a SIP call are in the file that `age` opens, each in its own channel, as they were sent',
  opts,
  async (t) => {
    const headquarters = await Headquarters.start(t);
    const identity = await generateIdentity();
    const media = {
      ...{ driver: 'relay', cellAddress: '127.0.0.1', carrierAddress: '127.0.0.1', ports: null },
      recording: { recipient: await identityToRecipient(identity), days: 30, reserveMb: 0 },
    };
    const trunkPort = await freePort();
    const folder = makeSite(t, trunkPort, { site: { media }, uplink: headquarters.uplink });
    const now = headquarters.clock.wall();
    const said = {
      ...{ id: 'w-7', number: NUMBER },
      ...{ from: String(now.subtract({ hours: 1 })), until: String(now.add({ hours: 1 })) },
    };
    const data = join(folder, 'data');
    mkdirSync(join(data, 'warrants'), { recursive: true });
    writeFileSync(join(data, 'warrants', 'w-7.jws'), await signValue(headquarters.key, said));

    const running = await GatewayProcess.start(t, folder);
    const [near, far] = [await party(t, 1), await party(t, 2)];
    const carrier = await carrierPeer(t, 'carrier-answers', trunkPort, far.port);
    const peer = { scenario: 'handset-hangs-up', user: 'a101', dialled: NUMBER, talkMs: 3_000 };
    const handset = await handsetPeer(t, { ...peer, port: running.port('cell'), rtpPort: near.port });
    await headquarters.event('balise.recording.begun', ({ warrant }) => warrant === 'w-7');
    await running.logged(({ event, state }) => event === 'call.state' && state === 'talking');
    const ways = [
      { from: near, to: far, port: await handset.audioPort(), speech: speechOf('nl') },
      { from: far, to: near, port: await carrier.audioPort(), speech: speechOf('ru') },
    ];
    // As telephones do: by the clock, whatever held them up.
    const begunMs = performance.now();
    for (let i = 0; i < PACKETS; i++) {
      for (const { from, port, speech } of ways) {
        const payload = speech.sent.subarray(i * SAMPLES, (i + 1) * SAMPLES);
        await from.send({ address: '127.0.0.1', port }, { payloadType: 0, payload });
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, begunMs + (i + 1) * 20 - performance.now())));
    }
    for (const { to } of ways) await to.got(() => to.received.length === PACKETS);
    t.match(await handset.exited, { code: 0 });
    t.match(await carrier.exited, { code: 0 });
    await headquarters.event('balise.recording.ended');

    const [file = ''] = readdirSync(join(data, 'recordings'));
    const key = join(folder, 'key.txt');
    writeFileSync(key, `${identity}\n`);
    const opened = spawnSync('age', ['-d', '-i', key, join(data, 'recordings', file)], { maxBuffer: 1 << 26 });
    t.equal(opened.status, 0, String(opened.stderr));
    for (const [at, { speech, to }] of ways.entries()) {
      const channel = Buffer.from(opened.stdout.subarray(HEADER).filter((_, i) => i % 2 === at));
      const from = channel.indexOf(speech.kept.subarray(800, 1_600)) - 800;
      t.ok(from >= 0, 'the speech is there');
      t.ok(channel.subarray(from, from + speech.kept.length).equals(speech.kept), 'sample for sample, without a gap');
      const heard = Buffer.concat(to.received.map((packet) => packet.subarray(12)));
      t.ok(heard.equals(speech.sent), 'and the other side heard the same');
    }
    t.same(headquarters.faults, [], 'headquarters understands every entry');
    t.notMatch(JSON.stringify(headquarters.events), NUMBER.slice(1), 'and reads no number in them');
  },
);
