import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** A process named so that a later process with the same number is not mistaken for it. */
interface ProcessName {
  readonly pid: number;
  /** Start time in clock ticks since boot: field 22 of /proc/<pid>/stat (proc(5)). */
  readonly startTicks: string;
}

function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name may hold spaces and brackets; the fields after its last bracket are plain.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    return fields[19];
  } catch {
    return undefined;
  }
}

function isProcessName(value: unknown): value is ProcessName {
  const name = value as Partial<ProcessName> | null;
  return typeof name === 'object' && name !== null && Number.isInteger(name.pid) && typeof name.startTicks === 'string';
}

function read(path: string): ProcessName | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isProcessName(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Writes which process holds `path`; replaces what stood there. */
export function writePidFile(path: string, pid: number): void {
  const name: ProcessName = { pid, startTicks: startTicksOf(pid) ?? '' };
  writeFileSync(path, JSON.stringify(name), { mode: 0o600 });
}

/** Removes the file, if it still names this process. */
export function removePidFile(path: string, pid: number): void {
  if (read(path)?.pid === pid) rmSync(path, { force: true });
}

/** The pid of the process that the file names, if that very process is still alive. */
export function livePid(path: string): number | undefined {
  const name = read(path);
  if (name === undefined || name.startTicks === '') return undefined;
  return startTicksOf(name.pid) === name.startTicks ? name.pid : undefined;
}
