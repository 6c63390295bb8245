/** Rooms measured by themselves: policy's decisions, the store, the relay. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Temporal } from 'temporal-polyfill';
import { loadSite } from '../../gateway/config/site.js';
import { handsetId } from '../../gateway/policy/ids.js';
import { type Facts, UNUSED } from '../../gateway/policy/request.js';
import { SitePolicy } from '../../gateway/site-policy.js';
import type { Reading } from './figure.js';
import { benchRelay, benchRtpengine, type RelayFigures } from './relay.js';
import { benchSilence } from './relay-silence.js';
import { NUMBERS, writeBenchSite } from './site.js';
import { benchStore } from './store.js';

const RULES = [10, 10_000, 100_000] as const;
const NOWHERE = { cell: 0, trunk: 5060, board: 502, brokerUrl: 'mqtt://127.0.0.1:1883' };
const FACTS: Facts = {
  clock: { trusted: true },
  line: { fitted: true, hook: 'off', supervised: true, relay: 'connected' },
  lockdowns: [],
};
/** Decisions between two looks at the time. */
const ROUND = 1_000;

/** Instants that are asked about, a millisecond apart; made beforehand, because they are the clock's. */
const INSTANTS = 4_096;

/**
 * Judges calls by the policy of a site as the gateway does, each with another handset, number and instant. A second is one of the
 * core's own time, which other programs on the machine change little.
 */
export async function measureDecisions(folder: string, seconds: number): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const rules of RULES) {
    const site = mkdtempSync(join(folder, 'policy-'));
    writeBenchSite(site, NOWHERE, {}, rules);
    const files = await loadSite(site);
    const fromMs = performance.now();
    const policy = new SitePolicy(files);
    const compileMs = performance.now() - fromMs;
    // Numbers that are sanctioned: a refusal costs less, and a list of ten would else be asked for refusals alone.
    const dialled = NUMBERS.slice(0, rules).map((number) => `sip:${number}@127.0.0.1:5060`);
    const handsets = files.handsets.map(({ id }) => handsetId(id));
    const startMs = Date.now();
    const instants = Array.from({ length: INSTANTS }, (_, at) => Temporal.Instant.fromEpochMilliseconds(startMs + at));
    let asked = 0;
    let granted = 0;
    const judgeFor = (forMs: number): number => {
      const begun = process.cpuUsage();
      const spentMs = (): number => {
        const { user, system } = process.cpuUsage(begun);
        return (user + system) / 1_000;
      };
      const before = asked;
      while (spentMs() < forMs) {
        for (let at = 0; at < ROUND; at += 1) {
          const handset = handsets[asked % handsets.length];
          const number = dialled[asked % dialled.length];
          const when = instants[asked % INSTANTS];
          if (handset === undefined || number === undefined || when === undefined) continue;
          const request = { handset, dialled: number };
          const { outcome } = policy.judge(request, FACTS, when, UNUSED);
          if (outcome === 'grant') granted += 1;
          asked += 1;
        }
      }
      return ((asked - before) * 1_000) / spentMs();
    };
    judgeFor(300);
    readings.push({
      id: `decisions.${rules}`,
      title: `decisions/s on one core, ${rules.toLocaleString('en')} rules`,
      unit: '',
      value: judgeFor(seconds * 1_000),
      better: 'more',
      ...(rules === 10_000 ? { budget: { is: 'at least', value: 200_000 } } : {}),
      detail: { compileMs, share: granted / asked },
    });
  }
  return readings;
}

export async function measureStore(ledgerCalls: number): Promise<Reading[]> {
  const store = await benchStore(ledgerCalls);
  const detail = { ...store };
  return [
    {
      id: 'store.single',
      title: 'durable events/s, one a transaction',
      unit: '',
      value: store.singleEventsPerS,
      better: 'more',
      budget: { is: 'at least', value: 5_000 },
      reference: { text: 'SQLite itself 8,200', measuredHere: false },
      detail,
    },
    {
      id: 'store.batched',
      title: 'durable events/s, a hundred a transaction',
      unit: '',
      value: store.batchedEventsPerS,
      better: 'more',
      reference: { text: 'SQLite itself 240,000', measuredHere: false },
    },
    ...(store.drainPerS === undefined
      ? []
      : [
          {
            id: 'store.drain',
            title: 'events/s drained to mosquitto',
            unit: '',
            value: store.drainPerS,
            better: 'more' as const,
            budget: { is: 'at least' as const, value: 20_000 },
            reference: { text: 'mqtt.js 54,000 to 65,000', measuredHere: false },
          },
        ]),
  ];
}

/** Two-way G.711 calls through the relay's own process; beside it rtpengine, where that is installed. */
export async function measureRelay(calls: number, seconds: number): Promise<Reading[]> {
  const relay = await benchRelay({ calls, seconds, pacing: 'even' });
  const rtpengine = await benchRtpengine({ calls, seconds, pacing: 'even' });
  const isBudgeted = calls === 400;
  const reading = (
    part: string,
    title: string,
    unit: string,
    of: (figures: RelayFigures) => number,
    budget: number,
    text: string,
  ): Reading => ({
    id: `relay.${calls}.${part}`,
    title: `relay, ${calls} two-way G.711 calls: ${title}`,
    unit,
    value: of(relay),
    better: 'less',
    ...(isBudgeted ? { budget: { is: 'at most', value: budget } } : {}),
    ...(rtpengine === undefined
      ? isBudgeted
        ? { reference: { text, measuredHere: false } }
        : {}
      : { reference: { text: `rtpengine ${Number(of(rtpengine).toPrecision(3))}`, measuredHere: true } }),
    detail: { seconds, relay, rtpengine },
  });
  const cpu = (figures: RelayFigures) => figures.cpuPercentOfOneCore;
  return [
    reading('cpu', 'CPU of one core', '%', cpu, rtpengine === undefined ? 49 : cpu(rtpengine), 'rtpengine 49 %'),
    reading('lost', 'packets lost', '', ({ lost }) => lost, 0, 'rtpengine 0'),
    reading('p99', 'p99 delay', 'ms', ({ p99DelayMs }) => p99DelayMs, 1, 'rtpengine 0.3 ms'),
  ];
}

/** How soon a call is silent that is closed, or whose deadline comes, on both media drivers; packets a millisecond apart. */
export async function measureSilence(calls: number): Promise<Reading[]> {
  const { relay, rtpengine } = await benchSilence(calls);
  const reading = (how: 'close' | 'deadline', title: string): Reading => ({
    id: `silence.${how}`,
    title: `${title}: last packet that came through had left after, max`,
    unit: 'ms',
    value: relay[how].maxMs,
    better: 'less',
    ...(how === 'deadline' ? { budget: { is: 'at most', value: 5 } } : {}),
    ...(rtpengine === undefined
      ? {}
      : { reference: { text: `our driver of rtpengine ${rtpengine[how].maxMs.toFixed(1)}`, measuredHere: true } }),
    detail: { calls, relay, rtpengine },
  });
  return [reading('close', 'a call is closed'), reading('deadline', 'a deadline passes')];
}
