/**
 * Whether the wall clock may be believed (`clock.untrusted`). Three questions, each of which can say no:
 * is it synchronised (chrony or systemd, asked in the background, never at a call); has it stepped (see step-watch.ts);
 * is it earlier than the newest instant on disk. Where nothing is known, the answer is no.
 */
import { Temporal } from 'temporal-polyfill';
import type { ClockTrust } from './clock.js';
import { afterAcknowledgement, afterReading, type Reading, type StepState } from './step-watch.js';
import { joinReports, type Report, SYSTEM_SOURCES, type SyncSource } from './synchronisation.js';

/** How often the sources are asked, milliseconds. */
const ASK_EVERY_MS = 30_000;
/** A report older than this is none: the sources have stopped answering, milliseconds. */
export const STALE_AFTER_MS = 120_000;

/** What has been learned so far. */
export interface TrustKnowledge {
  readonly mode: 'system' | 'assume';
  readonly steps: StepState | undefined;
  /** The last answer of the sources, and when their asking began, on the monotonic clock. */
  readonly report?: { readonly said: Report; readonly askedAtNs: bigint };
  /** The newest instant on disk, if anything is on disk. */
  readonly floorNs?: bigint;
}

const YES: ClockTrust = { trusted: true };
const no = (why: string): ClockTrust => ({ trusted: false, why });

/** Judges the clock by what is known and a reading of it now. Pure. */
export function judgeClock(known: TrustKnowledge, now: Reading): ClockTrust {
  const step = afterReading(known.steps, now).step;
  if (step !== undefined) {
    const seconds = Math.abs(step.byMs / 1e3).toFixed(1);
    return no(
      `the clock stepped ${step.byMs > 0 ? 'forward' : 'back'} by ${seconds} s and nobody has vouched for it since`,
    );
  }
  if (known.floorNs !== undefined && now.wallNs < known.floorNs) {
    const late = (Number(known.floorNs - now.wallNs) / 1e9).toFixed(1);
    return no(`the clock is ${late} s earlier than the newest instant on disk`);
  }
  if (known.mode === 'assume') return YES;
  if (known.report === undefined) return no('it is not known yet whether the clock is synchronised');
  const ageMs = Number(now.monotonicNs - known.report.askedAtNs) / 1e6;
  if (ageMs > STALE_AFTER_MS)
    return no(`nothing has been heard of the clock's synchronisation for ${Math.round(ageMs / 1e3)} s`);
  switch (known.report.said.state) {
    case 'synchronised':
      return YES;
    case 'not-synchronised':
      return no(known.report.said.why);
    case 'absent':
      return no('neither chrony nor systemd-timesyncd runs here, and clock.trust is "system"');
  }
}

/** What is known after the sources were asked from `askedAtNs` on. A source's word after a step is an acknowledgement. */
export function afterReport(known: TrustKnowledge, said: Report, askedAtNs: bigint, now: Reading): TrustKnowledge {
  const steps = afterReading(known.steps, now);
  // An asking that began before the step was seen may have been answered about the clock as it was.
  const vouched = known.mode === 'system' && said.state === 'synchronised' && steps.step !== undefined;
  const settled = vouched && steps.step.seenAtNs < askedAtNs ? afterAcknowledgement(now) : steps;
  return { ...known, steps: settled, report: { said, askedAtNs } };
}

/** Between the two readings of the monotonic clock around one of the wall clock; more, and we were put aside meanwhile. */
const TOGETHER_NS = 50_000_000n;

/** Reads both clocks together, so that a pause of this process between the two does not look like a step. */
function readBothClocks(): Reading {
  for (let tries = 0; ; tries += 1) {
    const before = process.hrtime.bigint();
    const wallNs = BigInt(Temporal.Now.instant().epochNanoseconds);
    const after = process.hrtime.bigint();
    if (after - before < TOGETHER_NS || tries === 9) return { wallNs, monotonicNs: before + (after - before) / 2n };
  }
}

export interface ClockWatchOptions {
  readonly mode: 'system' | 'assume';
  /** The newest instant on disk; asked at each judgement, so it must be cheap. Until the store is open, undefined. */
  readonly newestOnDisk: () => Temporal.Instant | undefined;
  /** Told when the answer changes, for the log and the alarm. */
  readonly onChange?: (trust: ClockTrust) => void;
  /** For tests: both clocks, and who knows about synchronisation. */
  readonly read?: () => Reading;
  readonly sources?: readonly SyncSource[];
  readonly askEveryMs?: number;
}

/** Watches the machine's clock. `trust` is the source that `systemClock` wants. */
export class ClockWatch {
  private known: TrustKnowledge;
  private said: ClockTrust | undefined;
  private timer: NodeJS.Timeout | undefined;
  private asking: Promise<void> | undefined;

  constructor(private readonly options: ClockWatchOptions) {
    this.known = { mode: options.mode, steps: afterReading(undefined, this.read()) };
  }

  /** Starts asking the sources every 30 s, and settles when they have answered once. In mode `assume` only steps are watched. */
  async start(): Promise<void> {
    if (this.timer !== undefined) return;
    // A step between two calls, there and back again, is a step too: the readings go on when nobody calls.
    this.timer = setInterval(() => void this.ask(), this.options.askEveryMs ?? ASK_EVERY_MS);
    await this.ask();
  }

  /** Ends the asking; what was learned goes stale by itself. Harmless when never started. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Whether the clock may be believed now. Cheap: no process, no file. */
  readonly trust = (): ClockTrust => {
    const now = this.read();
    const floor = this.options.newestOnDisk();
    const known = { ...this.known, steps: afterReading(this.known.steps, now) };
    this.known = floor === undefined ? known : { ...known, floorNs: BigInt(floor.epochNanoseconds) };
    const trust = judgeClock(this.known, now);
    const changed = this.said === undefined ? !trust.trusted : this.said.trusted !== trust.trusted;
    this.said = trust;
    if (changed) this.options.onChange?.(trust);
    return trust;
  };

  /** An operator vouches for the clock as it reads now: a step seen before is forgotten. Sources and disk keep their say. */
  acknowledge(): void {
    this.known = { ...this.known, steps: afterAcknowledgement(this.read()) };
    this.trust();
  }

  private read(): Reading {
    return (this.options.read ?? readBothClocks)();
  }

  private ask(): Promise<void> {
    // A source that takes longer than the interval is asked again when it has answered.
    this.asking ??= this.askOnce().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  private async askOnce(): Promise<void> {
    if (this.options.mode === 'system') {
      this.trust();
      const askedAtNs = this.read().monotonicNs;
      const reports = await Promise.all((this.options.sources ?? SYSTEM_SOURCES).map((source) => source.ask()));
      this.known = afterReport(this.known, joinReports(reports), askedAtNs, this.read());
    }
    this.trust();
  }
}
