/**
 * A shift from two cells on the whole program, with a carrier that speaks the called number before it answers: three contacts with
 * three outcomes, a call-back that comes due, a window that closes in mid-call. What is paid is what was on the wire, and the
 * numbers are nowhere that a person at a handset, a reader of logs or a listener at headquarters' broker could find them.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import t, { type Test } from 'tap';
import { programData } from '../../gateway/config/paths.js';
import { GatewayClient } from '../../scripts/cli/gateway-client.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { decoded, likeness, shareAt } from '../media/tone.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { Headquarters } from '../peers/headquarters.js';
import { faketimeLibrary, needs } from '../peers/needs.js';
import { formsOf, foundIn, keysHeard, tonesOf } from '../peers/number-forms.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { carrierPeer } from '../peers/scenario.js';
import type { SeenMessage, Sipp } from '../peers/sipp.js';
import { handset } from '../peers/site.js';
import { CellPeer, PIN, statementFor, withStore, workProfile, workSite } from './work-site.js';

const NUMBERS = ['+442079460073', '+442079460084', '+442079460095', '+442079460061'];
const [FIRST = '', SECOND = '', THIRD = '', NIGHT = ''] = NUMBERS;
const BEGINS = '09:58:38';
/** Working days, all of them. */
const DAYS_OF_MARCH = ['03', '04', '05'];
/** What comes before the turn takes half of this. */
const LEAD_MS = 13_000;
const MOST_LEAD_MS = 30_000;
const MINUTE_MS = 60_000;
/** ITU-T E.180. */
const RING_BACK_HZ = 425;
/** What callees of the night campaign are told: any sound will do. */
const ANNOUNCEMENT = programData('prompts', 'tr', 'work.signed-off.alaw');
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const carrier = (id: string, port: number) => ({
  ...{ id, host: '127.0.0.1', port, transport: 'udp', register: false, callerIdentity: '+442079460900' },
  ...{ networks: ['127.0.0.0/8'], optionsS: 0 },
});

/**
 * A gateway whose clock comes to a full minute soon, and not too soon: the call-back comes due then, and the second person's hours
 * end. One that took too long to start, on a crowded machine, is started again, on another day.
 */
async function startBefore(t: Test, siteFolder: string): Promise<{ running: GatewayProcess; turnMs: number }> {
  for (const day of DAYS_OF_MARCH) {
    const running = await GatewayProcess.start(t, siteFolder, {
      ...{ LD_PRELOAD: faketimeLibrary, FAKETIME: `@2027-03-${day} ${BEGINS}` },
      ...{ FAKETIME_DONT_FAKE_MONOTONIC: '1', TZ: 'UTC' },
    });
    const readyMs = Number(running.ready.time);
    const turnMs = Math.ceil((readyMs + LEAD_MS) / MINUTE_MS) * MINUTE_MS;
    if (turnMs - readyMs < MOST_LEAD_MS) return { running, turnMs };
    await running.end();
  }
  throw new Error('this machine is too slow to start a gateway in time');
}

/** Everything that is published at headquarters' broker. */
async function listener(t: Test, url: string): Promise<{ readonly heard: Buffer[]; readonly count: () => number }> {
  const client = await mqtt.connectAsync(url);
  t.teardown(() => client.endAsync(true));
  const heard: Buffer[] = [];
  client.on('message', (topic, payload) => heard.push(Buffer.from(`${topic}\n`), payload));
  await client.subscribeAsync('#', { qos: 1 });
  return { heard, count: () => heard.length / 2 };
}

async function shift(t: Test) {
  const [port, nightPort] = [await freePort(), await freePort()];
  const headquarters = await Headquarters.start(t);
  const broker = await listener(t, headquarters.broker.url);
  const siteFolder = await workSite(t, port, {
    site: {
      handsets: [handset('a-101'), handset('a-102')],
      trunks: [carrier('carrier', port), carrier('carrier-2', nightPort)],
      uplink: headquarters.uplink,
      profiles: [workProfile({ trunks: ['carrier', 'carrier-2'] })],
    },
    campaigns: [
      { ringS: 15, leastTalkS: 10 },
      { id: 'night', trunk: 'carrier-2', languages: ['tr'], announcement: { tr: 'Example Research' } },
    ],
    people: [{ id: 'p-1' }, { id: 'p-2', code: '6642', languages: ['tr'], handsets: ['a-102'], campaigns: ['night'] }],
    contacts: [
      ...[FIRST, SECOND, THIRD].map((number) => ({ number })),
      { number: NIGHT, campaign: 'night', language: 'tr' },
    ],
  });
  const [probe, nightProbe] = [await RtpProbe.open(t), await RtpProbe.open(t)];
  nightProbe.payloads = [];
  const own = join(siteFolder, 'data', 'prompts', 'tr');
  mkdirSync(own, { recursive: true });
  cpSync(ANNOUNCEMENT, join(own, 'campaign.night.alaw'));
  // Before the gateway, so that their ports are nobody else's.
  const far = await carrierPeer(t, 'carrier-announces', port, probe.port, 4);
  const nightFar = await carrierPeer(t, 'carrier-answers', nightPort, nightProbe.port);
  const { running, turnMs } = await startBefore(t, siteFolder);
  const turn = new Date(turnMs).toISOString().replace('.000', '');
  withStore(siteFolder, ({ work }) => {
    const person = work.person('p-2');
    const windows = [{ days: [...DAYS], from: '06:00', to: turn.slice(11, 16) }];
    if (person !== undefined) work.putPerson({ ...person, windows });
  });
  const activity = (name: string, person: string, from = 0) =>
    running.logged((line) => line.event === 'work.activity' && line.activity === name && line.handset === person, from);
  return { siteFolder, running, headquarters, broker, probe, nightProbe, far, nightFar, activity, turn };
}

type Shift = Awaited<ReturnType<typeof shift>>;

const invites = (far: Sipp): readonly SeenMessage[] =>
  far.messages.filter(({ direction, kind }) => direction === 'received' && kind === 'INVITE');
const numberOf = (invite: SeenMessage | undefined): string =>
  /^INVITE sip:([^@]+)@/.exec(invite?.text ?? '')?.[1] ?? '';

/** One contact from its first ring to the keys that end it; the carrier says the number's digits before it answers. */
async function talksTo({ probe, far, running }: Shift, cell: CellPeer, n: number, keys: string): Promise<string> {
  await far.saw(() => invites(far).length > n);
  const invite = invites(far)[n];
  const number = numberOf(invite);
  const port = await far.audioPort();
  await probe.play(tonesOf(number.replace('+', '')), port);
  const from = running.lines.length;
  cell.keypad.talkTo(await cell.turned());
  probe.talkTo(port);
  const before = probe.heardNs.length;
  await probe.heard(before + 50);
  cell.keypad.stopTalking();
  cell.press('*0');
  await cell.turned();
  probe.stopTalking();
  await running.logged(
    (line) => line.event === 'work.activity' && line.activity === 'wrap-up' && line.handset === 'a-101',
    from,
  );
  cell.press(keys);
  await running.logged((line) => line.event === 'work.contact' && line.handset === 'a-101', from);
  return number;
}

/** Three contacts, three outcomes, and a call-back when it is due. Gives whom it called, in order, and the console's word in a call. */
async function firstPerson(world: Shift, t: Test) {
  const { running, activity, siteFolder, turn } = world;
  const cell = await CellPeer.dials(t, running);
  cell.press(`3051#${PIN}#`);
  await activity('signed-on', 'a-101');
  const called: string[] = [];
  const next = async (n: number, keys: string): Promise<void> => {
    cell.press('1');
    called.push(await talksTo(world, cell, n, keys));
  };
  await next(0, `4${turn.slice(11, 16).replace(':', '')}#`);
  const pages = await consolePages(siteFolder);
  await next(1, '1');
  await next(2, '3');
  cell.press('1');
  await activity('no-work', 'a-101');
  called.push(await talksTo(world, cell, 3, '1'));
  cell.press('9');
  await activity('signed-off', 'a-101');
  return { cell, called, pages };
}

/** One contact, whose call the end of the person's hours ends. */
async function secondPerson({ running, activity, nightProbe, nightFar }: Shift, t: Test) {
  const cell = await CellPeer.dials(t, running, 'a102');
  cell.press(`6642#${PIN}#`);
  await activity('signed-on', 'a-102');
  cell.press('1');
  cell.keypad.talkTo(await cell.turned());
  nightProbe.talkTo(await nightFar.audioPort());
  await nightProbe.heard(20);
  await nightFar.saw(({ direction, kind }) => direction === 'received' && kind === 'BYE');
  await cell.turned();
  await activity('wrap-up', 'a-102');
  cell.press('1');
  await activity('signed-off', 'a-102');
  return cell;
}

/** Whatever the console's API tells to whoever may see the most, each route that only reads. */
async function consolePages(siteFolder: string): Promise<string> {
  const client = await GatewayClient.of(siteFolder);
  const calls = await client.ask<{ calls: readonly { call: string }[] }>('GET', '/api/calls');
  const paths = [
    ...[
      'view',
      'status',
      'boards',
      'trunks',
      'uplink',
      'audit',
      'models',
      'people',
      'handsets/a-101',
      'handsets/a-102',
    ],
    ...calls.calls.map(({ call }) => `calls/${call}`),
  ];
  const answers: unknown[] = [calls];
  for (const path of paths) answers.push(await client.ask('GET', `/api/${path}`));
  return JSON.stringify(answers);
}

/** The time in which packets came, of all stretches together, milliseconds. */
const heardMs = (probe: RtpProbe, gapMs: number): number =>
  probe.stretches(gapMs).reduce((sum, { firstNs, lastNs }) => sum + Number(lastNs - firstNs) / 1e6, 0);

const opts = needs('sip-tester', 'faketime', 'mosquitto');

t.test('a shift is paid by what was on the wire, and no number is in a byte of it', opts, async (t) => {
  const world = await shift(t);
  const { siteFolder, running, headquarters, broker, probe, nightProbe, far, nightFar, turn } = world;
  const [{ cell, called, pages }, nightCell] = await Promise.all([firstPerson(world, t), secondPerson(world, t)]);
  const last = await consolePages(siteFolder);

  await t.test('the chooser, the outcomes and the call-back', async (t) => {
    t.equal(new Set(called.slice(0, 3)).size, 3, 'three contacts');
    t.equal(called[3], called[0], 'and the one that asked for it again, when it was due');
    const said = headquarters.events.filter(({ type }) => type === 'balise.work.contact');
    t.same(
      said.filter(({ data }) => data.person === 'p-1').map(({ data }) => data.disposition),
      ['call-back', 'completed', 'do-not-call', 'completed'],
    );
    t.match(
      said.find(({ data }) => data.disposition === 'call-back'),
      { data: { callBackAt: turn } },
    );
  });

  await t.test('a window that closes in mid-call ends the call, and then the session', async (t) => {
    const ended = await headquarters.event('balise.call.ended', ({ campaign }) => campaign === 'night');
    t.match(ended.data, { endsBy: 'window.person', person: 'p-2', cause: 'deadline' });
    const { wall } = ended.data.deadline as { wall: string };
    t.ok(Math.abs(Date.parse(wall) - Date.parse(turn)) < 5, `at ${wall}`);
    const off = await headquarters.event(
      'balise.work.activity',
      ({ person, activity }) => person === 'p-2' && activity === 'signed-off',
    );
    t.match(off.data, { why: 'window-ended' });
    t.match(
      headquarters.events.find(({ type, data }) => type === 'balise.work.contact' && data.person === 'p-2'),
      { data: { disposition: 'completed' } },
      'it is still said how it went',
    );
  });

  await t.test('the callee hears the campaign’s announcement first, in the contact’s language', async (t) => {
    const clip = decoded(readFileSync(ANNOUNCEMENT), 'pcma');
    const heard = decoded(Buffer.concat(nightProbe.payloads ?? []), 'pcmu');
    t.ok(likeness(heard.slice(0, clip.length), clip) > 0.95);
  });

  await t.test('headquarters sees the desk: who does what where, and which calls were for it', async (t) => {
    const of = (id: string) => headquarters.states.filter(({ topic }) => topic === `handset/${id}`);
    for (const work of ['signed-on', 'ringing', 'talking', 'wrap-up', 'no-work'])
      t.ok(
        of('a-101').some(({ message }) => message.work === work && message.person === 'p-1'),
        work,
      );
    t.match(of('a-101').at(-1)?.message, { work: undefined }, 'and nobody after the sign-off');
    const calls = headquarters.events.filter(({ type }) => type === 'balise.call.ended').map(({ data }) => data);
    t.equal(calls.filter(({ campaign, contact }) => campaign === 'survey' && contact !== undefined).length, 4);
    t.match(JSON.parse(last)[1].handsets, [{ handset: 'a-101' }, { handset: 'a-102' }]);
    t.match(pages, /"work":\{"person":"p-1","activity":"signed-on"/, 'so does the console');
    t.same(headquarters.faults, []);
  });

  await running.end();
  t.equal((await cell.near.exited).code, 0, 'the desk’s call ends in order');
  t.equal((await far.exited).code, 0);

  await t.test('who asked not to be called again is on the house’s own list, by token', async (t) => {
    const marks = withStore(siteFolder, (store) => store.contactMarks());
    t.match(marks, [{ kind: 'never', subject: /^[\w-]{8}\.[\w-]{43}$/ }]);
  });

  await t.test('the minutes of the statements are those of the packet captures', async (t) => {
    for (const [person, at, gapMs] of [
      ['p-1', probe, 700],
      // One talk alone: on a machine that stands still for a second it is not two.
      ['p-2', nightProbe, 10_000],
    ] as const) {
      const { statement, msOf } = statementFor(siteFolder, '2027-03', person);
      const offMs = Math.abs(msOf('talking') - heardMs(at, gapMs));
      t.ok(
        offMs < 1_000,
        `${person}: ${msOf('talking')} ms of talk are paid, ${Math.round(heardMs(at, gapMs))} ms were heard`,
      );
      t.same(statement.open, []);
      t.ok((statement.pay.EUR ?? 0) >= 0);
    }
    t.equal(probe.stretches().length, 4);
    const ringMs = far.messages.reduce((sum, { kind, direction, atMs }) => {
      if (kind === 'INVITE' && direction === 'received') return sum - atMs;
      return kind === '200' && direction === 'sent' && sum < 0 ? sum + atMs : sum;
    }, 0);
    t.ok(Math.abs(statementFor(siteFolder, '2027-03').msOf('ringing') - ringMs) < 1_000, `${ringMs} ms of ringing`);
  });

  await t.test('the numbers are in no byte toward the cell, no log, no page, no topic and no file', async (t) => {
    for (const number of NUMBERS) {
      const forms = formsOf(number);
      const hidden = (what: string, captured: string | Buffer): void => {
        t.same(foundIn(captured, forms), [], `${number} is not in ${what}`);
      };
      for (const one of [cell, nightCell]) {
        hidden('what a handset was sent', one.captured);
        const { tones, events } = keysHeard(one.keypad.heard);
        hidden('the tones of its sound', tones);
        hidden('the events of its sound', events);
        const sounds = one.keypad.heard.map((packet) => decoded(packet.subarray(12), 'pcmu'));
        t.ok(
          sounds.filter((sound) => shareAt(sound, RING_BACK_HZ) > 0.95).length > 5,
          'what is heard before the answer is the desk’s own ring-back',
        );
      }
      hidden('the log', JSON.stringify(running.lines) + running.stderr.join('\n'));
      hidden('the console', pages + last);
      hidden('the topics at headquarters', Buffer.concat(broker.heard));
      for (const file of readdirSync(siteFolder, { recursive: true, withFileTypes: true }))
        if (file.isFile()) hidden(file.name, readFileSync(join(file.parentPath, file.name)));
    }
    const all = [...far.messages, ...nightFar.messages].map(({ text }) => text).join('\n');
    for (const number of NUMBERS)
      t.not(foundIn(all, formsOf(number)).length, 0, `the search finds ${number} at the carrier`);
    const sung = tonesOf(FIRST.slice(1)).map((payload) => Buffer.concat([Buffer.alloc(12), payload]));
    t.equal(keysHeard(sung).tones, FIRST.slice(1), 'and it would hear the tones that the carrier sent');
    t.ok(broker.count() > 20 && cell.keypad.heard.length > 200, 'there was something to search');
  });
});
