/**
 * Measures call-centre work: choosing the next contact among many with many people at once, and taking a million contacts from
 * a file. By itself: `node --expose-gc dist/scripts/bench/work.js [--json] [--contacts <n>] [--import <lines>]`.
 */

import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Temporal } from 'temporal-polyfill';
import type { CallingHours, Campaign, Language } from '../../config/schema/types.generated.js';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { programData } from '../../gateway/config/paths.js';
import { loadSite } from '../../gateway/config/site.js';
import { CalleeHours } from '../../gateway/policy/callee-hours.js';
import { policyOfFolder } from '../../gateway/site-policy.js';
import { ContactBook } from '../../gateway/work/contact-book.js';
import { ContactHours, type Place } from '../../gateway/work/contact-hours.js';
import { fateOf } from '../../gateway/work/dispositions.js';
import { runCli } from '../cli/main.js';
import { aCampaign } from '../peers/campaign.js';

export interface WorkFigures {
  readonly choose: {
    readonly contacts: number;
    readonly people: number;
    readonly chosen: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly p99CpuMs: number;
    readonly worstMs: number;
    readonly nothingP99Ms: number;
    readonly fillMs: number;
  };
  readonly import?: {
    readonly lines: number;
    readonly seconds: number;
    readonly cpuSeconds: number;
    readonly linesPerS: number;
    readonly mostMb: number;
    readonly firstMb: number;
  };
}

const clock = systemClock(() => ({ trusted: true }));
const PEOPLE = 50;
const CHOICES = 40_000;
const LANGUAGES: readonly Language[] = ['fr', 'nl', 'sq', 'ru', 'tr', 'de', 'en'];
const PLACES: readonly Place[] = [
  { country: 'BE', zones: ['Europe/Brussels'] },
  { country: 'NL', zones: ['Europe/Amsterdam'] },
  { country: 'TR', zones: ['Europe/Istanbul'] },
  { country: 'DE', zones: ['Europe/Berlin'] },
  { country: 'US', zones: ['America/New_York'] },
  { country: 'US', zones: ['America/Chicago', 'America/New_York'] },
  { country: 'RU', zones: ['Europe/Moscow', 'Europe/Samara'] },
];

const campaign = (id: string, trunk: string): Campaign => aCampaign({ id, trunk, languages: [...LANGUAGES] });

function timed(work: () => void): number {
  const from = clock.monotonicNs();
  work();
  return Number(clock.monotonicNs() - from) / 1e6;
}

/** Processor time, milliseconds: what it costs, whatever else the machine is doing. */
function cost(work: () => void): number {
  const from = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e3;
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;

/** 50 people who each hold a contact and ask for the next as soon as it is settled, through a working day. */
function measureChoosing(
  hours: readonly CallingHours[],
  countries: Record<string, readonly string[]>,
  contacts: number,
): WorkFigures['choose'] {
  const callee = new CalleeHours(hours, { countries });
  const book = new ContactBook(
    new ContactHours(
      () => callee,
      'Europe/Brussels',
      () => false,
    ),
  );
  const campaigns = ['one', 'two', 'three', 'four', 'five'];
  for (const id of campaigns) book.putCampaign(campaign(id, 'carrier'));
  let now = Temporal.Instant.from('2026-03-04T06:00:00Z').epochMilliseconds;
  const at = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;
  const fillMs = timed(() => {
    for (let n = 1; n <= contacts; n += 1) {
      book.add(
        {
          ref: n,
          campaign: at(campaigns, n),
          language: at(LANGUAGES, Math.floor(n / 5)),
          place: at(PLACES, Math.floor(n / 35)),
          times: n % 3 === 0 ? { earliest: '17:00', latest: '20:30' } : n % 11 === 0 ? { earliest: '10:00' } : {},
          callee: n,
          priority: n % 10,
          attempts: 0,
          dayAttempts: 0,
          dayEndsMs: 0,
          readyMs: 0,
          isCallBack: false,
          lentUntilMs: Number.POSITIVE_INFINITY,
        },
        now,
      );
    }
  });
  const people = Array.from({ length: PEOPLE }, (_, n) => ({
    languages: [at(LANGUAGES, n), at(LANGUAGES, n + 3)],
    campaigns: n % 4 === 0 ? campaigns : [at(campaigns, n), at(campaigns, n + 1)],
    held: undefined as number | undefined,
  }));
  const took: number[] = [];
  const nothing: number[] = [];
  const costs: number[] = [];
  for (let turn = 0; took.length + nothing.length < CHOICES; turn += 1) {
    const person = at(people, turn);
    // All of them together: a contact a person every 40 s.
    now += 800;
    if (person.held !== undefined) {
      const { attempts } = book.attempt(person.held, now);
      const outcome = at(
        ['no-answer', 'completed', 'refused', 'answering-machine', 'call-back'] as const,
        turn * 7 + 3,
      );
      const facts = { attempts, mostAttempts: 3, spacingMs: 3_600_000, callBackMs: now + 1_800_000 };
      book.settle(person.held, fateOf(outcome, facts, now), now);
      person.held = undefined;
    }
    let choice = undefined as ReturnType<ContactBook['choose']> | undefined;
    let cpuMs = 0;
    const ms = timed(() => {
      cpuMs = cost(() => {
        choice = book.choose(person, now);
      });
    });
    if (choice?.is === 'contact') {
      took.push(ms);
      costs.push(cpuMs);
      person.held = choice.ref;
    } else nothing.push(ms);
  }
  took.sort((a, b) => a - b);
  costs.sort((a, b) => a - b);
  nothing.sort((a, b) => a - b);
  return {
    contacts,
    people: PEOPLE,
    chosen: took.length,
    p50Ms: quantile(took, 0.5),
    p99Ms: quantile(took, 0.99),
    p99CpuMs: quantile(costs, 0.99),
    worstMs: took.at(-1) ?? 0,
    nothingP99Ms: quantile(nothing, 0.99),
    fillMs,
  };
}

/** `balise campaign import` of a file of so many lines, with the memory of the process looked at all along. */
async function measureImport(lines: number): Promise<NonNullable<WorkFigures['import']>> {
  const folder = mkdtempSync(join(tmpdir(), 'balise-bench-work-'));
  try {
    const site = join(folder, 'site');
    await cp(programData('demo'), site, { recursive: true, filter: (path) => !/\/(data|run)$/.test(path) });
    const trunks = JSON.parse(await readFile(join(site, 'trunks.json'), 'utf8')) as { id: string }[];
    await writeFile(join(folder, 'one.json'), JSON.stringify(campaign('one', trunks[0]?.id ?? '')));
    const csv = join(folder, 'contacts.csv');
    const out = createWriteStream(csv);
    out.write('number,language,priority\n');
    for (let n = 0; n < lines; n += 1) {
      // No country keeps a million numbers for fiction, and Belgium keeps none: they are read here, and never called.
      if (!out.write(`+32470${String(n).padStart(6, '0')},nl,${n % 10}\n`)) await once(out, 'drain');
    }
    out.end();
    await once(out, 'close');
    const quiet = () => new PassThrough().resume();
    const stdout = quiet();
    const run = (...args: string[]) =>
      runCli(['campaign', ...args], { stdin: Readable.from([]), stdout, stderr: quiet() });
    if ((await run('set', '--site', site, join(folder, 'one.json'))) !== 0)
      throw new Error('the campaign was not taken');
    const memory: number[] = [];
    const watch = setInterval(() => memory.push(process.memoryUsage.rss() / 1_048_576), 500);
    const from = clock.monotonicNs();
    const cpuFrom = process.cpuUsage();
    const status = await run('import', '--site', site, '--campaign', 'one', csv);
    const seconds = Number(clock.monotonicNs() - from) / 1e9;
    const { user, system } = process.cpuUsage(cpuFrom);
    clearInterval(watch);
    if (status !== 0) throw new Error(`the import ended with ${status}`);
    const firstMb = memory[Math.min(memory.length - 1, 4)] ?? 0;
    return {
      lines,
      seconds,
      cpuSeconds: (user + system) / 1e6,
      linesPerS: lines / seconds,
      mostMb: Math.max(...memory),
      firstMb,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All figures. @param lines of the import; 0 leaves it out. */
export async function benchWork(contacts: number, lines: number): Promise<WorkFigures> {
  const { callingHours, zonesOf } = policyOfFolder(await loadSite(programData('demo')));
  const choose = measureChoosing(callingHours, { ...zonesOf }, contacts);
  return lines === 0 ? { choose } : { choose, import: await measureImport(lines) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean' },
      contacts: { type: 'string', default: '100000' },
      import: { type: 'string', default: '1000000' },
    },
  });
  const figures = await benchWork(Number(values.contacts), Number(values.import));
  if (values.json === true) console.log(JSON.stringify(figures, null, 2));
  else {
    const { choose, import: taken } = figures;
    console.log(
      `choosing among ${choose.contacts} contacts, ${choose.people} people: p50 ${choose.p50Ms.toFixed(3)} ms, p99 ${choose.p99Ms.toFixed(3)} ms (${choose.p99CpuMs.toFixed(3)} ms of processor), worst ${choose.worstMs.toFixed(1)} ms; ${choose.chosen} chosen; "nothing now" p99 ${choose.nothingP99Ms.toFixed(3)} ms`,
    );
    if (taken !== undefined)
      console.log(
        `import of ${taken.lines} contacts: ${taken.seconds.toFixed(1)} s (${taken.cpuSeconds.toFixed(1)} s of processor), ${Math.round(taken.linesPerS)} lines/s; memory ${Math.round(taken.firstMb)} MB at first, ${Math.round(taken.mostMb)} MB at most`,
      );
  }
}
