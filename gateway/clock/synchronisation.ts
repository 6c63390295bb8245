import { execFile } from 'node:child_process';

/** What a source of the system says about the clock. `absent`: it is not on this machine, or does not run. */
export type Report =
  | { readonly state: 'synchronised' }
  | { readonly state: 'not-synchronised'; readonly why: string }
  | { readonly state: 'absent' };

/** Something that knows whether the clock is synchronised. Never rejects; a source that hangs is absent. */
export interface SyncSource {
  readonly name: string;
  ask(): Promise<Report>;
}

/** Farther than this from NTP's time, and the clock is not synchronised whatever the daemon calls it, seconds. */
const FARTHEST_S = 2;
const ASK_TIMEOUT_MS = 5_000;

/** What `chronyc -n tracking` prints, judged: a leap status that is not "Not synchronised", and less than 2 s off. */
export function readChrony(text: string): Report {
  const leap = /^Leap status\s*:\s*(.+?)\s*$/m.exec(text)?.[1];
  const off = /^System time\s*:\s*([0-9.]+) seconds (?:slow|fast) of NTP time\s*$/m.exec(text)?.[1];
  if (leap === undefined || off === undefined) return { state: 'absent' };
  if (leap === 'Not synchronised') return { state: 'not-synchronised', why: 'chrony has no source that it believes' };
  if (Number(off) > FARTHEST_S) return { state: 'not-synchronised', why: `chrony says that the clock is ${off} s off` };
  return { state: 'synchronised' };
}

/** What `timedatectl show -p NTPSynchronized` prints: the kernel's own flag (adjtimex, STA_UNSYNC), which any step sets. */
export function readTimedatectl(text: string): Report {
  const flag = /^NTPSynchronized=(yes|no)$/m.exec(text)?.[1];
  if (flag === undefined) return { state: 'absent' };
  if (flag === 'yes') return { state: 'synchronised' };
  return { state: 'not-synchronised', why: 'the kernel counts the clock as not synchronised' };
}

/** A source that is a program of the system; whatever keeps it from answering makes it absent. */
export function programSource(
  name: string,
  program: string,
  args: readonly string[],
  read: (text: string) => Report,
): SyncSource {
  return {
    name,
    ask: () =>
      new Promise((settle) => {
        const options = {
          timeout: ASK_TIMEOUT_MS,
          killSignal: 'SIGKILL',
          env: { ...process.env, LC_ALL: 'C' },
        } as const;
        execFile(program, args, options, (fault, stdout) =>
          settle(fault === null ? read(stdout) : { state: 'absent' }),
        );
      }),
  };
}

/** The sources that a Debian machine may have. */
export const SYSTEM_SOURCES: readonly SyncSource[] = [
  programSource('chrony', 'chronyc', ['-n', 'tracking'], readChrony),
  programSource('timedatectl', 'timedatectl', ['show', '-p', 'NTPSynchronized'], readTimedatectl),
];

/**
 * Several reports as one: synchronised when at least one source is there and every one that is there says so.
 * One that denies it outweighs any number that affirm it.
 */
export function joinReports(reports: readonly Report[]): Report {
  const denied = reports.find((report) => report.state === 'not-synchronised');
  return denied ?? reports.find((report) => report.state === 'synchronised') ?? { state: 'absent' };
}
