/** What the rest of the house is told of people at the desk: the board, the displays, the metrics. */
import t from 'tap';
import { callId, handsetId } from '../../gateway/policy/ids.js';
import { keypadObserver } from '../../gateway/site-keypads.js';
import { type SiteSources, SiteWatch } from '../../gateway/site-watch.js';
import { workTold } from '../../gateway/site-work-told.js';
import { SiteFolder } from '../config/site-folder.js';
import { VirtualClock } from '../lines/virtual-clock.js';

const CELL = handsetId('a-101');
const [DESK, CONTACT] = [callId('desk'), callId('contact')];
const SOURCES: SiteSources = {
  line: () => ({ fitted: false, hook: 'unknown', supervised: false, relay: 'unknown' }),
  isRegistered: () => true,
  isEnabled: () => true,
  planes: () => [],
  lockdowns: () => [],
  boards: () => [],
  boardDetail: () => '',
  uplink: () => ({ configured: false, connected: false, waiting: 0, lastSequence: 0 }),
};

t.test(
  'the board shows who does what at a handset through both of its calls, and so do display and metrics',
  async (t) => {
    const folder = await SiteFolder.make();
    t.teardown(() => folder.remove());
    const watch = new SiteWatch(await folder.load(), new VirtualClock(), SOURCES);
    const shown: string[] = [];
    const lines = { say: (_handset: string, text: string) => shown.push(text), callOver: () => shown.push('over') };
    const counted: string[] = [];
    const metrics = { workRefused: (why: string) => counted.push(why) };
    const told = workTold({ uplink: undefined, watch, lines, metrics: () => metrics });
    const at = '2026-03-04T09:00:00Z';
    const view = () => watch.handset(CELL);

    watch.observer.handset(CELL, 'talking', { call: DESK });
    told.doing(CELL, { person: 'p-1', activity: 'signed-on', at });
    t.match(view(), { phase: 'talking', call: DESK, work: { person: 'p-1', activity: 'signed-on' } });
    told.doing(CELL, { person: 'p-1', activity: 'ringing', at });
    watch.observer.handset(CELL, 'ringing', { call: CONTACT });
    t.match(view(), { phase: 'ringing', call: CONTACT, work: { activity: 'ringing' } });
    watch.observer.handset(CELL, 'ended', { call: CONTACT });
    told.doing(CELL, { person: 'p-1', activity: 'wrap-up', at });
    t.match(view(), { phase: 'talking', call: DESK, work: { activity: 'wrap-up' } }, 'it is at the desk again');
    told.doing(CELL, { person: 'p-1', activity: 'signed-off', at });
    t.equal(view()?.work, undefined);
    watch.observer.handset(CELL, 'ended', { call: DESK });
    t.match(view(), { phase: 'idle' });
    told.refused('wrong');
    t.same(counted, ['wrong']);
    t.same(shown, ['Signed on', 'Ringing', 'How did it go?', 'Signed off']);
  },
);

t.test('of a handset at the desk the display has the desk’s words, and not those of its contact’s call', async (t) => {
  const shown: string[] = [];
  const lines = { say: (_handset: string, text: string) => shown.push(text), callOver: () => shown.push('over') };
  const isAtDesk = { is: true };
  const observer = keypadObserver(lines as never, () => isAtDesk.is);
  observer.handset(CELL, 'calling', { call: CONTACT });
  observer.ended({ handset: CELL, cause: 'refused', fact: 'the number is on a block list' } as never);
  t.same(shown, []);
  isAtDesk.is = false;
  observer.handset(CELL, 'calling', { call: DESK });
  t.same(shown, ['Calling']);
});
