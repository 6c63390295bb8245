import t from 'tap';
import { closedFrom, type WindowRule } from './window-oracle.js';

const HOUR_MS = 3_600_000;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const from8to17: WindowRule = { zone: 'UTC', windows: [{ days: DAYS, from: '08:00', to: '17:00' }] };
const eight = Date.parse('2026-02-05T08:00:00Z');

t.test('hours close at their end, if that is looked at, and otherwise never', async (t) => {
  t.equal(closedFrom([from8to17], eight, eight + 10 * HOUR_MS), eight + 9 * HOUR_MS);
  // A sitting at the desk may be longer than the look: that it goes on is no breach.
  t.equal(closedFrom([from8to17], eight, eight + HOUR_MS), Number.POSITIVE_INFINITY);
  t.equal(closedFrom([from8to17], eight - 1, eight + HOUR_MS), eight - 1, 'and what is closed is closed at once');
});
