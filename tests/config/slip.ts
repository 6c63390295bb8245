import t from 'tap';
import type { FileName } from '../../gateway/config/site-check.js';
import { type Json, SiteFolder } from './site-folder.js';

/** A fault that somebody makes in one file, and what is said of it. */
export interface Slip {
  readonly slip: string;
  readonly file: FileName;
  readonly change: (value: Json) => void;
  readonly at: string;
  readonly found?: RegExp;
  readonly expected: RegExp;
  readonly hint?: RegExp;
}

/** A test for each slip: made in a copy of the demo site, it must be told at its place, in these words. */
export function testSlips(slips: readonly Slip[]): void {
  for (const { slip, file, change, at, found, expected, hint } of slips) {
    t.test(`${slip} is told with its place, what was found and what was expected`, async (t) => {
      const folder = await SiteFolder.make();
      t.teardown(() => folder.remove());
      await folder.edit(file, change);
      const faults = await folder.faults();
      const fault = faults.find((one) => one.file === `${file}.json` && one.pointer === at);
      t.ok(fault, JSON.stringify(faults));
      t.match(fault?.found, found ?? /./);
      t.match(fault?.expected, expected);
      t.match(fault?.hint, hint ?? /./);
      t.ok((fault?.line ?? 0) > 0, 'the line is told');
    });
  }
}
