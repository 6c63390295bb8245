/**
 * A shift from a cell, on the whole program: a handset signs on with real digits, is given a contact, talks, says how it went and signs
 * off. What it was paid for is what was on the wire, and the number that it never knew is in no byte on its side.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readBootId, systemClock } from '../../gateway/clock/system-clock.js';
import type { E164 } from '../../gateway/policy/ids.js';
import { contactKey } from '../../gateway/store/contact-key.js';
import { openStore } from '../../gateway/store/open.js';
import type { Store } from '../../gateway/store/store.js';
import { NumberSeal } from '../../gateway/work/number-seal.js';
import { hashPin } from '../../gateway/work/pin.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { Keypad } from '../peers/keypad.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { carrierPeer, handsetPeer } from '../peers/scenario.js';
import type { SeenMessage, Sipp } from '../peers/sipp.js';
import { makeSite, profile } from '../peers/site.js';
import { silent } from '../store/samples.js';
import { aCampaign } from '../work/samples.js';

const opts = needs('sip-tester');
const NUMBER = '+442079460073' as E164;
const CODE = '3051';
const PIN = '4817';

/** The digits of a number in every form in which they could slip through: whole, national, local, backwards, in base64 and escaped. */
const FORMS = ['442079460073', '2079460073', '79460073', '3700649702', 'NDQyMDc5NDYwMDcz', '%2B442079460073'];

function withStore<T>(siteFolder: string, run: (store: Store) => T): T {
  const clock = systemClock(() => ({ trusted: true }));
  const folder = join(siteFolder, 'data');
  const store = openStore({ folder, clock, gatewayId: 'test/gw-1', bootId: readBootId(), log: silent });
  try {
    return run(store);
  } finally {
    store.close();
  }
}

/** A site with a campaign, a person and one contact, as `balise campaign` and `balise person` leave them. */
async function workSite(t: Test, trunkPort: number): Promise<string> {
  const codes = { tokens: { '01': '+442079460001' }, tokenOnly: true };
  const siteFolder = makeSite(t, trunkPort, { profiles: [profile({ signOnCode: '*1', ...codes })] });
  const pin = await hashPin(PIN);
  withStore(siteFolder, (store) => {
    const seal = new NumberSeal(contactKey(join(siteFolder, 'data')));
    store.work.isKey(seal.fingerprint());
    store.work.putCampaign(aCampaign());
    const who = { id: 'p-1', code: CODE, pin, languages: ['nl'], handsets: ['a-101'] } as const;
    store.work.putPerson({ ...who, campaigns: ['survey'], suspended: false });
    const { callee, token } = seal.names(NUMBER);
    const place = { country: 'GB', zones: ['Europe/London'] };
    const contact = { campaign: 'survey', token, callee, sealed: seal.seal(NUMBER, token), language: 'nl' } as const;
    store.work.addContacts([{ ...contact, place, times: {}, priority: 5 }]);
  });
  return siteFolder;
}

const audioPort = ({ text }: SeenMessage): number => Number(/^m=audio (\d+)/m.exec(text)?.[1]);

/** The n-th description that the handset got from the gateway: the desk's, the contact's, the desk's again. */
async function described(near: Sipp, n: number): Promise<SeenMessage> {
  const isOne = ({ direction, kind, text }: SeenMessage): boolean =>
    direction === 'received' && (kind === '200' || kind === 'INVITE') && /^m=audio [1-9]/m.test(text);
  const ofNear = (): SeenMessage | undefined => near.messages.filter(isOne)[n];
  await near.saw(() => ofNear() !== undefined);
  const found = ofNear();
  if (found === undefined) throw new Error(`no description ${n}`);
  return found;
}

async function shift(t: Test) {
  const trunkPort = await freePort();
  const siteFolder = await workSite(t, trunkPort);
  const running = await GatewayProcess.start(t, siteFolder);
  const [keypad, trunk] = [await Keypad.open(t), await RtpProbe.open(t)];
  const far = await carrierPeer(t, 'carrier-answers', trunkPort, trunk.port);
  const near = await handsetPeer(t, {
    ...{ scenario: 'handset-works', user: 'a101', dialled: '*1' },
    ...{ port: running.port('cell'), rtpPort: keypad.port },
  });
  const desk = audioPort(await described(near, 0));
  await keypad.hears(20);
  // A number in the place of the code, and a wrong PIN: the one reaches nobody, the other no menu.
  keypad.press('00442079460001#0000#', desk);
  await keypad.hears(30);
  keypad.press(`${CODE}#0000#`, desk);
  await keypad.hears(30);
  keypad.press(`${CODE}#${PIN}#`, desk);
  const activity = (name: string, from = 0) =>
    running.logged((line) => line.event === 'work.activity' && line.activity === name, from);
  await activity('signed-on');
  return { siteFolder, running, keypad, trunk, far, near, desk, activity };
}

t.test(
  'sign on, a contact, how it went, sign off: paid by what was on the wire, and no number anywhere',
  opts,
  async (t) => {
    const { siteFolder, running, keypad, trunk, far, near, desk, activity } = await shift(t);
    keypad.press('1', desk);
    const invite = await far.saw(({ direction, kind }) => direction === 'received' && kind === 'INVITE');
    t.equal(
      far.messages.filter(({ kind }) => kind === 'INVITE').length,
      1,
      'nothing that was keyed has called anybody',
    );
    t.match(invite.text, NUMBER, 'the carrier, and nobody else, is told whom to call');
    const joined = audioPort(await described(near, 1));
    t.not(joined, desk, 'the handset speaks where the contact’s own lease is');
    await activity('talking');
    trunk.talkTo(await far.audioPort());
    await keypad.hears(10);
    const before = trunk.heardNs.length;
    for (let n = 0; n < 5; n += 1) keypad.speak(joined);
    await trunk.heard(before + 5);
    keypad.press('*0', joined);
    await far.saw(({ direction, kind }) => direction === 'received' && kind === 'BYE');
    trunk.stopTalking();
    t.equal(audioPort(await described(near, 2)), desk, 'then it is at the desk again');
    await activity('wrap-up');
    await keypad.hears(20);
    keypad.press('3', desk);
    t.match(await running.logged(({ event }) => event === 'work.contact'), { disposition: 'do-not-call' });
    keypad.press('9', desk);
    await activity('signed-off');
    await running.end();
    t.equal((await near.exited).code, 0, 'the desk’s call ends with the gateway, and in order');
    t.equal((await far.exited).code, 0);

    const events = withStore(siteFolder, (store) => [...store.work.workEvents('p-1', 0, Number.MAX_SAFE_INTEGER)]);
    const timeOf = (wanted: (message: SeenMessage) => boolean) => far.messages.find(wanted)?.atMs ?? 0;
    const wireMs =
      timeOf(({ kind, direction }) => kind === 'BYE' && direction === 'received') -
      timeOf(({ kind, direction }) => kind === '200' && direction === 'sent');
    const talks = events.filter(
      ({ type, data }) => type === 'balise.work.activity' && JSON.stringify(data).includes('talking'),
    );
    t.ok(talks.length > 0, `the talk of ${Math.round(wireMs)} ms is in the chain`);
    const talkedMs = talkMsOf(events.map(({ data }) => ({ ...data })));
    t.ok(
      Math.abs(talkedMs - wireMs) < 1_000,
      `paid ${talkedMs} ms of talk; on the wire it was ${Math.round(wireMs)} ms`,
    );

    const marks = withStore(siteFolder, (store) => store.contactMarks());
    t.match(marks, [{ kind: 'never', subject: /^[\w-]{8}\.[\w-]{43}$/ }], 'on the house’s own list, by token');
    const hidden = (what: string, text: string): void => {
      for (const form of FORMS) t.notOk(text.includes(form), `${form} is not in ${what}`);
    };
    hidden('the handset’s SIP', near.messages.map(({ text }) => text).join('\n'));
    hidden('what the handset heard', keypad.heard.map((packet) => packet.toString('latin1')).join('\n'));
    hidden('the log', JSON.stringify(running.lines) + running.stderr.join('\n'));
    for (const file of readdirSync(join(siteFolder, 'data'), { recursive: true, withFileTypes: true }))
      if (file.isFile()) hidden(file.name, readFileSync(join(file.parentPath, file.name), 'latin1'));
  },
);

/** Of the events of one shift: what the activity after a talk says that the talk took. */
function talkMsOf(data: readonly Readonly<Record<string, unknown>>[]): number {
  const activities = data.filter(({ activity }) => activity !== undefined);
  const at = activities.findIndex(({ activity }) => activity === 'talking');
  const [begun, over] = [activities[at]?.at, activities[at + 1]?.at];
  return Date.parse(String(over)) - Date.parse(String(begun));
}
