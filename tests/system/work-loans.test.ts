/**
 * Contacts of headquarters on the whole program: taken there from a file, lent to the gateway where somebody has signed on, called,
 * and disposed of; and headquarters knows how it went. The number is in clear on the carrier's side alone.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readBootId, systemClock } from '../../gateway/clock/system-clock.js';
import { openStore } from '../../gateway/store/open.js';
import { hashPin } from '../../gateway/work/pin.js';
import { readConfig, serve } from '../../scripts/headquarters/serve.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { balise } from '../cli/terminal.js';
import { until } from '../headquarters/world.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { Headquarters } from '../peers/headquarters.js';
import { Keypad } from '../peers/keypad.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { carrierPeer, handsetPeer } from '../peers/scenario.js';
import { makeSite, profile } from '../peers/site.js';
import { silent } from '../store/samples.js';
import { aCampaign } from '../work/samples.js';
import { keepAnnouncement } from './work-site.js';

const NUMBER = '+442079460073';
const CAMPAIGN = aCampaign({ lent: { most: 5 } });
const clock = systemClock(() => ({ trusted: true }));

async function receiving(t: Test) {
  const peer = await Headquarters.start(t);
  const folder = mkdtempSync(join(tmpdir(), 'balise-loans-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const config = file(
    'headquarters.json',
    JSON.stringify({
      ...{ url: peer.broker.url, database: 'sqlite:hq.db', listen: { address: '127.0.0.1', port: 0 } },
      ...{ signingKey: 'hq.jwk', contactsKey: 'contacts.key', tokenKeys: { test: peer.uplink.tokenKey } },
    }),
  );
  file('hq.jwk', JSON.stringify(peer.key));
  const campaign = file('survey.json', JSON.stringify(CAMPAIGN));
  return { peer, folder, file, config, campaign };
}

async function site(t: Test, trunkPort: number, uplink: Record<string, unknown>): Promise<string> {
  const folder = makeSite(t, trunkPort, { profiles: [profile({ signOnCode: '*1' })], uplink });
  const data = join(folder, 'data');
  const store = openStore({ folder: data, clock, gatewayId: 'test/gw-1', bootId: readBootId(), log: silent });
  store.work.putCampaign(CAMPAIGN);
  const who = { id: 'p-1', code: '3051', pin: await hashPin('4817'), languages: ['nl'], handsets: ['a-101'] } as const;
  store.work.putPerson({ ...who, campaigns: ['survey'], suspended: false });
  store.close();
  keepAnnouncement(folder, CAMPAIGN);
  return folder;
}

t.test(
  'whoever signs on is lent contacts of headquarters, calls one, and headquarters hears how it went',
  { ...needs('sip-tester', 'mosquitto'), timeout: 120_000 },
  async (t) => {
    const { peer, folder, file, config, campaign } = await receiving(t);
    const csv = file('contacts.csv', `number,language\n${NUMBER},nl\n`);
    const importing = ['headquarters', 'contacts', csv, '--config', config, '--campaign', campaign];
    t.match(await balise([...importing]), { status: 64, stderr: /--country is missing/ });
    t.match(await balise([...importing, '--country', 'GB']), { status: 0, stdout: /survey: 1 new contacts/ });
    t.match(await balise([...importing, '--country', 'GB']), { status: 0, stdout: /0 new contacts, 1 known/ });
    const running = await serve({ config: readConfig(config), clock, log: silent });
    t.teardown(() => running.stop());
    const outcomes = () =>
      running.db.all<{ state: string; outcome: string | null }>('SELECT state, outcome FROM work_pool');

    const trunkPort = await freePort();
    const siteFolder = await site(t, trunkPort, peer.uplink);
    const gateway = await GatewayProcess.start(t, siteFolder);
    const [keypad, trunk] = [await Keypad.open(t), await RtpProbe.open(t)];
    const far = await carrierPeer(t, 'carrier-answers', trunkPort, trunk.port);
    const near = await handsetPeer(t, {
      ...{ scenario: 'handset-works', user: 'a101', dialled: '*1' },
      ...{ port: gateway.port('cell'), rtpPort: keypad.port },
    });
    const answered = await near.saw(
      ({ direction, kind, text }) => direction === 'received' && kind === '200' && /^m=audio [1-9]/m.test(text),
    );
    const desk = Number(/^m=audio (\d+)/m.exec(answered.text)?.[1]);
    const activity = (name: string) =>
      gateway.logged((line) => line.event === 'work.activity' && line.activity === name);
    await keypad.hears(20);
    t.match(await outcomes(), [{ state: 'free' }], 'nobody works yet');
    keypad.press('3051#4817#', desk);
    await activity('signed-on');
    await gateway.logged(({ event }) => event === 'work.batch-taken');
    keypad.press('1', desk);
    const invite = await far.saw(({ direction, kind }) => direction === 'received' && kind === 'INVITE');
    t.match(invite.text, NUMBER);
    await activity('talking');
    const joined = await near.saw(({ direction, kind }) => direction === 'received' && kind === 'INVITE');
    keypad.press('*0', Number(/^m=audio (\d+)/m.exec(joined.text)?.[1]));
    await activity('wrap-up');
    await keypad.hears(20);
    keypad.press('1', desk);
    t.match(await gateway.logged(({ event }) => event === 'work.contact'), { disposition: 'completed' });
    await until(async () => (await outcomes())[0]?.state === 'over');
    t.match(await outcomes(), [{ state: 'over', outcome: 'completed' }]);
    keypad.press('9', desk);
    await activity('signed-off');
    await gateway.end();
    t.match(await balise(['headquarters', 'loans', '--config', config]), {
      stdout: /survey {2}over \(completed\) {2}1/,
    });
    for (const said of [...peer.events.map((event) => JSON.stringify(event)), JSON.stringify(peer.states)])
      t.notMatch(said, /2079460073/);
    t.notMatch(readFileSync(join(folder, 'hq.db'), 'latin1'), /2079460073/, 'nor in the database');
    t.same(peer.faults, []);
  },
);
