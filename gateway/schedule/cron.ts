import cron from 'node-cron';
import type { Timer } from '../clock/clock.js';
import type { Minutes } from './schedule.js';

/**
 * The production side of a schedule: node-cron, each minute, in UTC, which has no clock changes. node-cron's own reading of a
 * zone skips a job whose hour falls into the gap of a spring night and runs an hour late in the doubled one of autumn
 * (4.6); so which hour of which zone it is, is for `Schedule` to say.
 */
export const cronMinutes: Minutes = (run): Timer => {
  const task = cron.schedule('* * * * *', run, { timezone: 'Etc/UTC', noOverlap: true, suppressMissedWarning: true });
  return { cancel: () => void task.destroy() };
};
