import { useEffect, useState } from 'preact/hooks';

const told = new Set<() => void>();
let timer: number | undefined;

/** Calls `tell` once a second, together with everyone else who asked, until the function that it gives is called. */
export function everySecond(tell: () => void): () => void {
  told.add(tell);
  timer ??= window.setInterval(() => {
    for (const one of [...told]) one();
  }, 1000);
  return () => {
    told.delete(tell);
    if (told.size > 0 || timer === undefined) return;
    window.clearInterval(timer);
    timer = undefined;
  };
}

/** Milliseconds of the page's steady clock, read anew each second while `isRunning`. */
export function useSteadyMs(isRunning: boolean): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => (isRunning ? everySecond(() => setNow(performance.now())) : undefined), [isRunning]);
  return now;
}
