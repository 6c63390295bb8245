/** What the demo says of its hours: the clock of the machine, and what the rules on file make of it. */
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import { PLACES, realHours } from '../../scripts/demo/played-hours.js';

const said = (at: string) => realHours([PLACES.ankara], Temporal.Instant.from(at))[0];

t.test('the demo tells whether its callees would be called now, and until when that holds', async (t) => {
  // The strictest set on file holds in Turkey: 10 to 13 and 14 to 20 on working days, three hours ahead of UTC.
  t.equal(said('2026-03-04T08:31:00Z'), 'Ankara, where it is 11:31, would be called until 13:00');
  t.equal(said('2026-03-04T10:15:00Z'), 'Ankara, where it is 13:15, would not be called until 14:00');
  t.equal(said('2026-03-04T21:00:00Z'), 'Ankara, where it is 00:00, would not be called until 10:00');
  t.equal(said('2026-03-04T20:00:00Z'), 'Ankara, where it is 23:00, would not be called until Thu 10:00');
  t.equal(said('2026-03-06T19:00:00Z'), 'Ankara, where it is 22:00, would not be called until Mon 10:00');
});
