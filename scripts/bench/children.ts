import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();
/** A gateway takes up to 5 s to end its calls, and 3 s more for a plane that hangs. */
const INSIST_MS = 9_000;

/** Notes a child of this run, so that it ends with the run, however that ends. Returns the child. */
export function minded<Child extends ChildProcess>(child: Child): Child {
  children.add(child);
  child.once('exit', () => children.delete(child));
  child.once('error', () => children.delete(child));
  return child;
}

/** Asks every child to end and insists after 9 s; settles when all are gone. */
export async function endChildren(): Promise<void> {
  await Promise.all([...children].map(ended));
}

/** Asks one child to end and insists after 9 s; settles when it is gone. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), INSIST_MS);
  await gone;
  clearTimeout(insist);
}
