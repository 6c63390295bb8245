/**
 * Measures policy: decisions a second as rules and lists grow, and what a do-not-call list of ten million numbers takes in
 * bytes and to load. Runs by itself: `node dist/scripts/bench/policy.js [--json]`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Temporal } from 'temporal-polyfill';
import type { Profile } from '../../config/schema/types.generated.js';
import { programData } from '../../gateway/config/paths.js';
import { loadSite } from '../../gateway/config/site.js';
import { ListCompiler } from '../../gateway/do-not-call/compile-list.js';
import { readList } from '../../gateway/do-not-call/list-file.js';
import { decide } from '../../gateway/policy/decide.js';
import { handsetId } from '../../gateway/policy/ids.js';
import { type CompiledPolicy, compilePolicy } from '../../gateway/policy/policy.js';
import { type Facts, UNUSED } from '../../gateway/policy/request.js';

export interface PolicyFigures {
  readonly rules: readonly {
    readonly rules: number;
    readonly compileMs: number;
    readonly grants: number;
    readonly refusals: number;
  }[];
  readonly list: {
    readonly numbers: number;
    readonly bytesANumber: number;
    readonly loadMs: number;
    readonly compileS: number;
  };
}

const SECONDS = 1;
const WARM_UP = 30_000;
const AT = Temporal.Instant.from('2026-03-04T12:00:00Z');
const CALLEE = (n: number): string => `+4420${String(79_000_000 + n)}`;

/** Milliseconds that `work` takes. */
function took(work: () => void): number {
  const from = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - from) / 1e6;
}

/** How often a second of one core's time `work` can be done; other programs on the machine change it little. */
function perSecond(work: (n: number) => void): number {
  for (let n = 0; n < WARM_UP; n += 1) work(n);
  const from = process.cpuUsage();
  let done = 0;
  let spentUs = 0;
  while (spentUs < SECONDS * 1e6) {
    for (let n = 0; n < 5_000; n += 1) work(done + n);
    done += 5_000;
    const { user, system } = process.cpuUsage(from);
    spentUs = user + system;
  }
  return Math.round(done / (spentUs / 1e6));
}

/** A site whose policy has so many rules: windows, limits and numbers of a hundred profiles, a handset each. */
async function siteOf(rules: number): Promise<{ readonly policy: CompiledPolicy; readonly compileMs: number }> {
  const demo = await loadSite(programData('demo'));
  const [profile] = demo.profiles;
  const [handset] = demo.handsets;
  if (profile === undefined || handset === undefined) throw new Error('the demo site is empty');
  const each = Math.max(1, Math.round(rules / 100));
  const profiles = Array.from(
    { length: 100 },
    (_, n): Profile => ({
      ...profile,
      id: `p-${n}`,
      allow: Array.from({ length: each }, (_, i) => CALLEE(n * each + i)),
      block: [],
      lists: { allow: [], block: [] },
      hookRequired: false,
      windows: [
        { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: `20:${String(n % 60).padStart(2, '0')}` },
      ],
      doNotCall: [{ list: 'tps', mostAgeH: 672 }],
    }),
  );
  const handsets = profiles.map(({ id }, n) => ({ ...handset, id: `h-${n}`, profile: id }));
  let policy: CompiledPolicy | undefined;
  const compileMs = took(() => {
    policy = compilePolicy({ ...demo, profiles, handsets, zonesOf: { GB: ['Europe/London'] } });
  });
  if (policy === undefined) throw new Error('nothing was compiled');
  return { policy, compileMs };
}

/** @param listed numbers of the do-not-call list. */
export async function benchPolicy(listed = 10_000_000): Promise<PolicyFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'balise-bench-policy-'));
  try {
    const file = join(folder, 'tps.dnc');
    const compiler = new ListCompiler(file);
    let bytes = 0;
    // A national range, as national lists have, a few in a hundred of it taken; none of it is called below.
    const compileS =
      took(() => {
        for (let n = 0; n < listed; n += 1) compiler.add(441_000_000_000 + ((n * 7_919) % listed) * 37);
        bytes = compiler.finish(AT.epochMilliseconds).bytes;
      }) / 1_000;
    let list = readList(file);
    const loadMs = Math.min(
      ...[1, 2, 3].map(() =>
        took(() => {
          list = readList(file);
        }),
      ),
    );
    const { set } = list;
    const facts: Facts = {
      clock: { trusted: true },
      line: { fitted: true, hook: 'off', supervised: true, relay: 'connected' },
      lockdowns: [],
      doNotCall: { list: () => ({ isThere: true, madeMs: AT.epochMilliseconds, has: (number) => set.has(number) }) },
    };
    const rules: PolicyFigures['rules'][number][] = [];
    for (const count of [10, 10_000, 100_000]) {
      const { policy, compileMs } = await siteOf(count);
      const each = Math.max(1, Math.round(count / 100));
      const judge = (offset: number) => (n: number) => {
        const profile = n % 100;
        const dialled = CALLEE(((profile + offset) % 100) * each + ((n * 31) % each));
        decide(policy, UNUSED, facts, { handset: handsetId(`h-${profile}`), dialled }, AT);
      };
      rules.push({ rules: count, compileMs, grants: perSecond(judge(0)), refusals: perSecond(judge(1)) });
    }
    return { rules, list: { numbers: set.size, bytesANumber: bytes / set.size, loadMs, compileS } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function told({ rules, list }: PolicyFigures): string {
  const rows = rules.map(
    (row) =>
      `${String(row.rules).padStart(8)} rules: ${row.grants} grants/s, ${row.refusals} refusals/s, compiled in ${row.compileMs.toFixed(0)} ms\n`,
  );
  return `${rows.join('')}do-not-call: ${list.numbers} numbers, ${list.bytesANumber.toFixed(2)} bytes each, loaded in ${list.loadMs.toFixed(0)} ms, compiled in ${list.compileS.toFixed(1)} s\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const figures = await benchPolicy();
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(figures, null, 2)}\n` : told(figures));
}
