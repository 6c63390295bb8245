/** A shift on a keypad handset: the keys of the line card sign on, choose and dispose; its lamp and display say the state alone. */
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { SimulatedLineCard } from '../../scripts/simulators/line-card.js';
import { SerialWire } from '../../scripts/simulators/serial-wire.js';
import { until } from '../device-agents/harness.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { Keypad } from '../peers/keypad.js';
import { needs } from '../peers/needs.js';
import { formsOf, foundIn } from '../peers/number-forms.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { calledHandset, carrierPeer } from '../peers/scenario.js';
import { handset } from '../peers/site.js';
import { CellPeer, CODE, PIN, statementFor, withStore, workProfile, workSite } from './work-site.js';

const LINE = 7;
const NUMBER = '+442079460073';

/** A handset on line 7 of a card, registered and off the hook, at a site where people work. */
async function cardSite(t: Test) {
  const card = new SimulatedLineCard();
  const wire = new SerialWire();
  await wire.start(card.stream);
  t.teardown(() => {
    card.close();
    return wire.close();
  });
  const trunkPort = await freePort();
  const probe = await RtpProbe.open(t);
  const far = await carrierPeer(t, 'carrier-answers', trunkPort, probe.port);
  const transport = { kind: 'serial', path: wire.path, baud: 115_200 };
  const siteFolder = await workSite(t, trunkPort, {
    site: {
      profiles: [workProfile({ hookRequired: true })],
      boards: [{ id: 'c1', device: 'line-card-32', agent: 'card-1', transport }],
      handsets: [handset('a-101', { line: { board: 'c1', relay: LINE, hook: LINE } })],
    },
    contacts: [{ number: NUMBER }],
  });
  const running = await GatewayProcess.start(t, siteFolder);
  const keypad = await Keypad.open(t);
  const peer = { user: 'a101', port: running.port('cell'), rtpPort: keypad.port };
  const near = await calledHandset(t, peer, 'handset-is-called-to-work');
  await until('the pair is connected and its lamp green', () => card.relay(LINE) && card.lines[LINE]?.lamp === 'GREEN');
  const shows = (text: string) => until(`the display says ${text}`, () => card.lines[LINE]?.text === text);
  const keys = (digits: string): void => {
    for (const key of digits) card.key(LINE, key);
  };
  return { siteFolder, running, card, probe, far, cell: new CellPeer(near, keypad), shows, keys };
}

t.test(
  'keys of a line card sign on, call the next contact and say how it went',
  needs('sip-tester', 'socat'),
  async (t) => {
    const { siteFolder, running, card, probe, far, cell, shows, keys } = await cardSite(t);
    card.hook(LINE, true);
    keys('*1#');
    await cell.turned();
    await cell.keypad.hears(20);
    await until('the lamp says that the line is taken', () => card.lines[LINE]?.lamp === 'AMBER');
    keys(`${CODE}#${PIN}#`);
    await shows('Signed on');
    keys('1');
    cell.keypad.talkTo(await cell.turned());
    await shows('Talking');
    await probe.heard(30);
    keys('*0');
    await cell.turned();
    cell.keypad.stopTalking();
    await shows('How did it go?');
    keys('2');
    await running.logged(({ event, disposition }) => event === 'work.contact' && disposition === 'refused');
    await shows('Signed on');
    keys('23');
    await shows('Pause');
    keys('9');
    await shows('Signed off');
    card.hook(LINE, false);
    await running.logged(
      ({ event, handset, cause }) => event === 'call.ended' && handset === 'a-101' && cause === 'hook.on',
    );
    await running.end();
    t.equal((await far.exited).code, 0);
    t.equal((await cell.near.exited).code, 0);
    const marks = withStore(siteFolder, (store) => store.contactMarks());
    t.match(marks, [{ kind: 'refused', subject: /^[\w-]{8}\.[\w-]{43}$/ }], 'the refusal is policy’s too, by token');
    const { msOf } = statementFor(siteFolder, new Date().toISOString().slice(0, 7));
    const [talk] = probe.stretches();
    const heardMs = Number((talk?.lastNs ?? 0n) - (talk?.firstNs ?? 0n)) / 1e6;
    t.ok(Math.abs(msOf('talking') - heardMs) < 1_000, `${msOf('talking')} ms are paid, ${heardMs} ms were heard`);
    const said = card.obeyed.join('\n');
    t.match(said, /TEXT 07 "?Signed on/, 'there was something to read');
    for (const secret of [...formsOf(NUMBER), CODE, PIN])
      t.same(foundIn(said, [secret]), [], 'neither a number nor a code');
    t.same(foundIn(cell.captured, formsOf(NUMBER)), []);
  },
);
