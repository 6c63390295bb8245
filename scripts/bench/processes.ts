/** What the operating system has counted for a process: proc(5). */
import { readFileSync } from 'node:fs';

/** Linux counts a process's time in hundredths of a second, on every machine that Node runs on. */
const TICKS_PER_S = 100;

/** User and system time of all threads since the start, seconds (fields 14 and 15 of /proc/<pid>/stat). */
export function cpuSeconds(pid: number): number {
  const fields = fieldsOf(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

const fieldsOf = (pid: number | 'self'): string[] => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name may hold spaces and brackets; the fields after its last bracket are plain.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};

/** Whether what was asked of a process failed because it has ended. */
export const isGone = (error: unknown): boolean =>
  ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');

/** CPU of this process and of everything that it has started, living or waited for, seconds. */
function ownCpuSeconds(pid: number | 'self' = 'self'): number {
  try {
    const fields = fieldsOf(pid);
    const own = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / TICKS_PER_S;
    const children = readFileSync(`/proc/${pid}/task/${pid === 'self' ? process.pid : pid}/children`, 'utf8').trim();
    return children === '' ? own : children.split(' ').reduce((sum, child) => sum + ownCpuSeconds(Number(child)), own);
  } catch (error) {
    // It ended between the two looks; whoever started it has its time now.
    if (isGone(error)) return 0;
    throw error;
  }
}

/** CPU of the whole machine since it started, idle time left out, seconds. */
function busySeconds(): number {
  const times = readFileSync('/proc/stat', 'utf8').split('\n')[0]?.trim().split(/\s+/).slice(1, 9).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = times;
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_S;
}

/** Begins to watch what strangers take of this machine; the function returned says how many cores they took on average. */
export function watchStrangers(): () => number {
  const [busy, own, atNs] = [busySeconds(), ownCpuSeconds(), process.hrtime.bigint()];
  return () => {
    const tookS = Number(process.hrtime.bigint() - atNs) / 1e9;
    return Math.max(0, (busySeconds() - busy - (ownCpuSeconds() - own)) / tookS);
  };
}

export interface MemoryOfProcess {
  /** Everything resident, shared pages of the program's file included, MB. */
  readonly residentMb: number;
  /** Of that what is of files: the Node program, its libraries, mapped databases. */
  readonly fileMb: number;
}

export function memoryOf(pid: number): MemoryOfProcess {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1_024;
  return { residentMb: mb('VmRSS'), fileMb: mb('RssFile') };
}

/**
 * What several processes of one program take together, MB: what each has for itself, and the program's file once, since the
 * kernel holds it once. The sum of what `ps` shows counts it for each and is given beside it.
 */
export function memoryTogether(pids: readonly number[]): { readonly mb: number; readonly sumOfResidentMb: number } {
  const each = pids.map(memoryOf);
  const sumOfResidentMb = each.reduce((sum, { residentMb }) => sum + residentMb, 0);
  const own = each.reduce((sum, { residentMb, fileMb }) => sum + residentMb - fileMb, 0);
  return { mb: own + Math.max(0, ...each.map(({ fileMb }) => fileMb)), sumOfResidentMb };
}

/** Whether some process on this machine has a UDP socket bound to this port (/proc/net/udp). */
export function isUdpPortTaken(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return new RegExp(`^\\s*\\d+: [0-9A-F]{8}:${hex} `, 'm').test(readFileSync('/proc/net/udp', 'utf8'));
}
