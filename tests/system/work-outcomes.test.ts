/**
 * The outcomes that a shift seldom has, each by real digits on the whole program, in one sitting: wrong language, wrong number,
 * answering machine, night there, distress; a contact that tries the work, and is told from others by nobody; and hours that are
 * narrowed in a call, which the callee is out of at once, and after which it is still said how it went.
 */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { programData } from '../../gateway/config/paths.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { decoded, likeness, loudness } from '../media/tone.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { Headquarters } from '../peers/headquarters.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { carrierPeer } from '../peers/scenario.js';
import type { SeenMessage } from '../peers/sipp.js';
import { CellPeer, CODE, PIN, withStore, workSite } from './work-site.js';

const numbers = Array.from({ length: 7 }, (_, n) => `+44207946004${n}`);
const [MYSTERY, , , , NIGHT] = numbers;
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const FRAME = 160;

/** A zone whose clocks show about this hour now. The sign of these names is POSIX's: west is plus. */
function zoneAt(hour: number): string {
  const ahead = ((((hour - new Date().getUTCHours() + 12) % 24) + 24) % 24) - 12;
  return ahead === 0 ? 'Etc/GMT' : `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

const [DAY_ZONE, NIGHT_ZONE] = [zoneAt(14), zoneAt(2)];

async function world(t: Test) {
  const trunkPort = await freePort();
  const headquarters = await Headquarters.start(t);
  const probe = await RtpProbe.open(t);
  const far = await carrierPeer(t, 'carrier-answers', trunkPort, probe.port, numbers.length);
  const siteFolder = await workSite(t, trunkPort, {
    site: { uplink: headquarters.uplink },
    contacts: numbers.map((number, priority) => ({
      ...{ number, priority, isMystery: number === MYSTERY },
      ...(number === NIGHT && { zones: [DAY_ZONE, NIGHT_ZONE] }),
    })),
  });
  const running = await GatewayProcess.start(t, siteFolder);
  const cell = await CellPeer.dials(t, running);
  const activity = (name: string, from = 0) =>
    running.logged((line) => line.event === 'work.activity' && line.activity === name, from);
  cell.press(`${CODE}#${PIN}#`);
  await activity('signed-on');
  return { siteFolder, running, headquarters, probe, far, cell, activity };
}

type World = Awaited<ReturnType<typeof world>>;

/** What the carrier got, without what was sent again. */
function seen(what: string, { far }: World): readonly SeenMessage[] {
  const calls = new Map<string, SeenMessage>();
  for (const message of far.messages) {
    const call = /^Call-ID: .*$/im.exec(message.text)?.[0] ?? '';
    if (message.direction === 'received' && message.kind === what && !calls.has(call)) calls.set(call, message);
  }
  return [...calls.values()];
}

/** The next contact, talked to for a moment. */
async function talk(at: World, n: number): Promise<void> {
  const { cell, probe, running } = at;
  const from = running.lines.length;
  cell.press('1');
  await at.far.saw(() => seen('INVITE', at).length > n);
  cell.keypad.talkTo(await cell.turned());
  await at.activity('talking', from);
  await probe.heard(probe.heardNs.length + 10);
}

/** Its end and how it went, as keys say it: in the call, and after it. */
async function outcome(at: World, inCall: string, after: string): Promise<void> {
  const { cell, running } = at;
  const from = running.lines.length;
  cell.keypad.stopTalking();
  cell.press(inCall);
  await cell.turned();
  if (after !== '') {
    await at.activity('wrap-up', from);
    cell.press(after);
  }
  await running.logged(({ event }) => event === 'work.contact', from);
}

/** The names of a message's headers and the lines of its description, in their order: what may not tell one call from another. */
const shapeOf = ({ text }: SeenMessage): readonly string[] =>
  text.split(/\r?\n/).map((line) => /^(?:[A-Za-z-]+:|a=.*|[a-z]=)/.exec(line)?.[0] ?? '');

/** How much like a sound the likest stretch of what was heard is. */
function closest(heard: readonly number[], sound: readonly number[]): number {
  let best = 0;
  for (let at = 0; at + sound.length <= heard.length; at += FRAME) {
    const part = heard.slice(at, at + sound.length);
    if (loudness(part) > 0) best = Math.max(best, likeness(part, sound));
  }
  return best;
}

t.test(
  'every outcome by its key, a contact that tries the work among them',
  needs('sip-tester', 'mosquitto'),
  async (t) => {
    const at = await world(t);
    const { siteFolder, running, headquarters, probe, far, cell, activity } = at;
    const keyed = [
      ['*0', '1'],
      ['*0', '5'],
      ['*0', '6'],
      ['*0', '7'],
      ['*8', ''],
      ['*0', '9'],
    ] as const;
    for (const [n, [inCall, after]] of keyed.entries()) {
      await talk(at, n);
      await outcome(at, inCall, after);
    }

    await t.test('each is told to headquarters, and is on disk', async (t) => {
      const last = await headquarters.event('balise.work.contact', ({ disposition }) => disposition === 'distress');
      t.ok(last);
      const told = headquarters.events.filter(({ type }) => type === 'balise.work.contact').map(({ data }) => data);
      const dispositions = [
        'completed',
        'wrong-language',
        'wrong-number',
        'answering-machine',
        'night-here',
        'distress',
      ];
      t.same(
        told.map(({ disposition }) => disposition),
        dispositions,
      );
      t.match(told[4], { zones: [NIGHT_ZONE] }, 'it is where it is night now');
      const left = withStore(siteFolder, ({ work }) => work.contacts(0, 10));
      t.same(
        left.map(({ place }) => place.zones),
        [['Europe/London'], [NIGHT_ZONE], ['Europe/London']],
        'the machine and the night are called again, and the one to come; nobody else',
      );
    });

    await t.test('distress is an alarm at once', async (t) => {
      const { data } = await headquarters.event('balise.alarm.work.distress');
      t.match(data, { handset: 'a-101', message: /p-1 reports distress in a call of survey/ });
      t.notMatch(JSON.stringify(data), /2079460/);
    });

    await t.test('a contact that tries the work looks like any other until its outcome is told', async (t) => {
      const [mystery, ...others] = seen('INVITE', at);
      t.ok(mystery?.text.includes(MYSTERY ?? ''));
      for (const one of others) t.same(shapeOf(one), mystery && shapeOf(mystery));
      const told = headquarters.events.filter(({ type }) => type === 'balise.work.contact').map(({ data }) => data);
      t.same(
        told.map(({ mystery: mark }) => mark),
        [true, ...Array.from({ length: 5 }, () => undefined)],
      );
      const before = [
        ...headquarters.events.filter(({ type }) => type !== 'balise.work.contact'),
        ...headquarters.states,
        ...running.lines,
        cell.captured.toString('latin1'),
      ];
      t.notMatch(JSON.stringify(before), /mystery/i);
      const counted = withStore(siteFolder, ({ work }) => work.outcomes(0));
      t.same(
        counted.filter(({ isMystery }) => isMystery).map(({ outcome: what, calls }) => [what, calls]),
        [['completed', 1]],
        'and is counted apart',
      );
    });

    await t.test(
      'hours that are taken away in a call end it; the desk says why, and waits for the outcome',
      async (t) => {
        await talk(at, numbers.length - 1);
        const byes = seen('BYE', at).length;
        const from = running.lines.length;
        withStore(siteFolder, ({ work }) => {
          const person = work.person('p-1');
          const days = [DAYS[(new Date().getUTCDay() + 3) % 7] ?? 'mon'];
          if (person !== undefined) work.putPerson({ ...person, windows: [{ days, from: '10:00', to: '11:00' }] });
        });
        const narrowedNs = process.hrtime.bigint();
        await far.saw(() => seen('BYE', at).length > byes);
        await cell.turned();
        const heardFrom = cell.keypad.heard.length;
        cell.keypad.stopTalking();
        await activity('wrap-up', from);
        t.ok(Number(probe.lastHeardNs - narrowedNs) / 1e6 < 2_000, 'the callee hears nothing more');
        await cell.keypad.hears(70);
        const why = decoded(readFileSync(programData('prompts', 'nl', 'work.ended-window.alaw')), 'pcma').slice(
          0,
          6_000,
        );
        const heard = cell.keypad.heard.slice(heardFrom).map((packet) => packet.subarray(12));
        t.ok(closest(decoded(Buffer.concat(heard), 'pcmu'), why) > 0.9, 'it is said why the call is over');
        cell.press('1');
        t.match(await running.logged(({ event }) => event === 'work.contact', from), { disposition: 'completed' });
        await activity('signed-off', from);
        const ended = await headquarters.event('balise.call.ended', ({ cause }) => cause === 'deadline');
        t.match(ended.data, { endsBy: 'window.person', campaign: 'survey' }, 'by its own deadline');
        const off = await headquarters.event('balise.work.activity', ({ activity: now }) => now === 'signed-off');
        t.match(off.data, { why: 'window-ended', person: 'p-1' });
      },
    );
    await running.end();
    t.equal((await far.exited).code, 0);
    t.equal((await cell.near.exited).code, 0);
  },
);
