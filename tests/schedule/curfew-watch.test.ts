import t from 'tap';
import type { EventDraft } from '../../gateway/calls/ports.js';
import { CurfewWatch } from '../../gateway/curfew-watch.js';
import { mayCallAtAll } from '../../gateway/policy/decide.js';
import { handsetId } from '../../gateway/policy/ids.js';
import { at, policyOf, window } from '../policy/sample-policy.js';

t.test('a curfew that begins has live calls judged again at its minute, also on the night of the change', (t) => {
  const policy = policyOf({ site: { zone: 'Europe/Brussels' }, wing: [window('07:00', '02:30')] });
  const events: EventDraft[] = [];
  let judged = 0;
  const watch = new CurfewWatch({
    handsets: [handsetId('a-101')],
    isOpen: (handset, when) => mayCallAtAll(policy, handset, when),
    onBegan: () => {
      judged += 1;
    },
    append: (event) => events.push(event),
  });
  const end = at('2027-03-29T12:00', 'UTC').epochMilliseconds;
  for (let when = at('2027-03-28T00:00', 'UTC'); when.epochMilliseconds < end; when = when.add({ minutes: 1 }))
    watch.look(when);
  t.match(events, [
    { type: 'balise.curfew.began', data: { at: '2027-03-28T01:00:00Z', count: 1, handsets: ['a-101'] } },
    { type: 'balise.curfew.ended', data: { at: '2027-03-28T05:00:00Z' } },
    { type: 'balise.curfew.began', data: { at: '2027-03-29T00:30:00Z' } },
    { type: 'balise.curfew.ended', data: { at: '2027-03-29T05:00:00Z' } },
  ]);
  t.equal(judged, 2);
  t.end();
});
