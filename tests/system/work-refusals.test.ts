/** What is refused at the work desk, on the whole program: refused, counted, alarmed; and who may not work is signed off at once. */
import { request } from 'node:http';
import t, { type Test } from 'tap';
import { GatewayClient } from '../../scripts/cli/gateway-client.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { Headquarters } from '../peers/headquarters.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { carrierPeer } from '../peers/scenario.js';
import { handset } from '../peers/site.js';
import { CellPeer, CODE, PIN, withStore, workSite } from './work-site.js';

const NUMBER = '+442079460073';
const handsets = [handset('a-101'), handset('a-102'), handset('a-103')];
const people = [
  { id: 'p-1', handsets: ['a-101', 'a-102'] },
  { id: 'p-2', code: '6642', handsets: ['a-103'] },
];
const opts = needs('sip-tester', 'mosquitto');

/** How often something was refused at the desk, by the metrics. */
async function counted(siteFolder: string): Promise<Record<string, number>> {
  const { socket } = await GatewayClient.of(siteFolder);
  const text = await new Promise<string>((settle, fail) => {
    const asked = request({ socketPath: socket, path: '/metrics' }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => settle(body));
    });
    asked.on('error', fail).end();
  });
  const lines = text.matchAll(/^balise_work_refused_total\{why="([a-z-]+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, why, times]) => [why, Number(times)]));
}

async function world(t: Test) {
  const trunkPort = await freePort();
  const headquarters = await Headquarters.start(t);
  const probe = await RtpProbe.open(t);
  const far = await carrierPeer(t, 'carrier-answers', trunkPort, probe.port);
  const site = { handsets, uplink: headquarters.uplink };
  const siteFolder = await workSite(t, trunkPort, { site, people, contacts: [{ number: NUMBER }] });
  const running = await GatewayProcess.start(t, siteFolder);
  const alarms = (code: string) =>
    running.lines.filter(({ event, code: said }) => event === 'alarm' && said === code).map(({ message }) => message);
  const activity = (name: string, at: string) =>
    running.logged((line) => line.event === 'work.activity' && line.activity === name && line.handset === at);
  return { siteFolder, running, headquarters, probe, far, alarms, activity };
}

t.test('a number keyed at the desk, a second handset and guessed PINs: refused, counted, alarmed', opts, async (t) => {
  const { siteFolder, running, headquarters, far, alarms, activity } = await world(t);
  const [first, second, third] = await Promise.all(
    ['a101', 'a102', 'a103'].map((user) => CellPeer.dials(t, running, user)),
  );
  if (first === undefined || second === undefined || third === undefined) throw new Error('three handsets');
  first.press('00442079460073#0000#');
  await headquarters.event('balise.alarm.work.number-keyed', ({ handset }) => handset === 'a-101');
  await first.keypad.hears(30);
  first.press(`${CODE}#${PIN}#`);
  await activity('signed-on', 'a-101');
  first.press('004420794600');
  second.press(`${CODE}#${PIN}#`);
  await headquarters.event('balise.alarm.work.second-handset', ({ handset }) => handset === 'a-102');
  const guesses = async (cell: CellPeer, pins: readonly string[]): Promise<void> => {
    for (const pin of pins) {
      const from = running.lines.length;
      cell.press(`6642#${pin}#`);
      await running.logged(({ event, handset }) => event === 'work.refused' && handset === 'a-103', from);
    }
  };
  await guesses(third, ['1110', '1111', '1112']);
  third.near.end();
  const again = await CellPeer.dials(t, running, 'a103');
  await guesses(again, ['1113', '1114', PIN]);
  await headquarters.event('balise.alarm.work.locked', ({ handset }) => handset === 'a-103');
  t.equal(running.lines.filter(({ activity }) => activity === 'signed-on').length, 1, 'the right PIN comes too late');
  t.equal(alarms('work.second-handset').length, 1);
  t.equal(alarms('work.number-keyed').length, 2, 'once at the code, once at the menu');
  for (const code of ['work.number-keyed', 'work.second-handset', 'work.locked'])
    for (const message of alarms(code))
      t.notMatch(message, /2079460073|6642|3051|111\d/, 'the alarm helps nobody to guess');
  t.equal(far.messages.length, 0, 'nobody was called');
  t.match(await counted(siteFolder), { 'number-keyed': 2, elsewhere: 1, wrong: 6, locked: 1 });
  await running.end();
});

t.test(
  'a person who is suspended is signed off at once, in a call too; so is one whom headquarters cuts',
  opts,
  async (t) => {
    const { siteFolder, running, headquarters, probe, far, activity } = await world(t);
    const [cell, other] = await Promise.all([CellPeer.dials(t, running), CellPeer.dials(t, running, 'a103')]);
    cell.press(`${CODE}#${PIN}#`);
    other.press(`6642#${PIN}#`);
    await Promise.all([activity('signed-on', 'a-101'), activity('signed-on', 'a-103')]);
    cell.press('1');
    cell.keypad.talkTo(await cell.turned());
    await probe.heard(10);
    withStore(siteFolder, ({ work }) => {
      const person = work.person('p-1');
      if (person !== undefined) work.putPerson({ ...person, suspended: true });
    });
    const suspendedNs = process.hrtime.bigint();
    await activity('signed-off', 'a-101');
    await far.saw(({ direction, kind }) => direction === 'received' && kind === 'BYE');
    const tookMs = Number(process.hrtime.bigint() - suspendedNs) / 1e6;
    t.ok(tookMs < 2_000, `signed off and the call ended in ${Math.round(tookMs)} ms`);
    t.ok(Number(probe.lastHeardNs - suspendedNs) / 1e6 < 2_000);
    t.match(await headquarters.event('balise.work.contact'), { data: { disposition: 'undisposed', person: 'p-1' } });
    const ack = await headquarters.order({
      type: 'cutoff',
      target: { kind: 'person', person: 'p-2' },
      reason: 'the test cuts a person',
      by: 'headquarters',
      hold: 60_000,
    });
    t.match(ack, { state: 'done' });
    t.match(
      await headquarters.event(
        'balise.work.activity',
        ({ person, activity }) => person === 'p-2' && activity === 'signed-off',
      ),
      { data: { why: 'suspended' } },
    );
    await running.end();
  },
);
