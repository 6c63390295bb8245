import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import cron from 'node-cron';
import type { Clock } from '../../clock/clock.js';
import { RECORDING_ENDING } from './recorder.js';

const DAY_MS = 86_400_000;
/** Every hour, at seven minutes past: no recording outlives its time by more. */
const WHEN = '7 * * * *';

export interface RetentionOptions {
  readonly clock: Clock;
  readonly folder: string;
  /** How long a recording is kept, days from its last byte. */
  readonly days: number;
  /** Told of each recording that was erased, for the audit chain. */
  readonly onErased: (name: string) => void;
  readonly onAlarm: (code: string, detail: string) => void;
}

/** Erases the recordings whose time is over; tells how many. What cannot be erased is an alarm, and tried again. */
export async function eraseOld({ clock, folder, days, onErased, onAlarm }: RetentionOptions): Promise<number> {
  const oldestMs = clock.wall().epochMilliseconds - days * DAY_MS;
  let erased = 0;
  for (const name of await readdir(folder)) {
    if (!name.endsWith(RECORDING_ENDING)) continue;
    const path = join(folder, name);
    try {
      if ((await stat(path)).mtimeMs > oldestMs) continue;
      await rm(path);
      erased++;
      onErased(name);
    } catch (error) {
      onAlarm('recording.not-erased', `${name} is past its time and cannot be erased: ${String(error)}`);
    }
  }
  return erased;
}

/** Erases on time until stopped. */
export function keepRetention(options: RetentionOptions): { stop: () => void } {
  const task = cron.schedule(WHEN, () => {
    eraseOld(options).catch((error: unknown) => options.onAlarm('recording.not-erased', String(error)));
  });
  return { stop: () => void task.stop() };
}
