/** The whole program with a line card: what is keyed there is judged as an INVITE is. */
import t from 'tap';
import { SimulatedLineCard } from '../../scripts/simulators/line-card.js';
import { SerialWire } from '../../scripts/simulators/serial-wire.js';
import { until } from '../device-agents/harness.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { handset, makeSite, profile } from '../peers/site.js';

t.test('a keyed number is judged, refused, recorded, and its reason shown', needs('socat'), async (t) => {
  const card = new SimulatedLineCard();
  const wire = new SerialWire();
  await wire.start(card.stream);
  t.teardown(() => {
    card.close();
    return wire.close();
  });
  const transport = { kind: 'serial', path: wire.path, baud: 115_200 };
  const site = makeSite(t, 9, {
    profiles: [profile({ hookRequired: true })],
    boards: [{ id: 'c1', device: 'line-card-32', agent: 'card-1', transport }],
    handsets: [handset('a-101', { line: { board: 'c1', relay: 7, hook: 7 } })],
  });
  const running = await GatewayProcess.start(t, site);
  await until('the pair is connected and its lamp green', () => card.relay(7) && card.lines[7]?.lamp === 'GREEN');
  card.hook(7, true);
  for (const key of '+4930901820'.slice(1)) card.key(7, key);
  await until('the digits are shown', () => card.lines[7]?.text === '4930901820');
  card.key(7, '#');
  const ended = await running.logged(({ event }) => event === 'call.ended');
  t.match(ended, { handset: 'a-101', cause: 'refused', rule: /^(number|dial)\./ });
  await until('the reason is shown', () => !['', '4930901820'].includes(card.lines[7]?.text ?? ''));
  t.comment(`shown: ${card.lines[7]?.text}`);

  // Put down, the wire says so, and keys are dead.
  card.hook(7, false);
  card.key(7, '1');
  card.key(7, '#');
  const from = running.lines.length;
  const count = () => running.lines.filter(({ event }) => event === 'call.ended').length;
  process.kill(running.pidOf('card-1'), 'SIGKILL');
  await running.logged(({ event, plane }) => event === 'plane.ready' && plane === 'card-1', from);
  t.equal(count(), 1);
  await until('the card is leased by the next agent', () => card.relay(7));
});
