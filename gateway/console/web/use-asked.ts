import { useEffect, useRef, useState } from 'preact/hooks';
import { AskFault, ask } from './ask.js';

export type Asked<T> =
  | { readonly is: 'asking' }
  | { readonly is: 'failed'; readonly fault: AskFault }
  | { readonly is: 'got'; readonly value: T };

/**
 * What the gateway answers to GET `path`, asked anew whenever `path` or `turn` changes; `again` asks once more. What was
 * got stays while the same path is asked again; an answer that comes too late for its question is dropped.
 */
export function useAsked<T>(path: string, turn: unknown = ''): Asked<T> & { readonly again: () => void } {
  const [state, setState] = useState<{ readonly path: string; readonly asked: Asked<T> }>({
    path,
    asked: { is: 'asking' },
  });
  const [count, setCount] = useState(0);
  const shown = useRef(path);
  useEffect(() => {
    const control = new AbortController();
    if (shown.current !== path) setState({ path, asked: { is: 'asking' } });
    shown.current = path;
    ask<T>(path, 'GET', undefined, control.signal).then(
      (value) => setState({ path, asked: { is: 'got', value } }),
      (fault: unknown) => {
        if (control.signal.aborted) return;
        if (!(fault instanceof AskFault)) throw fault;
        setState({ path, asked: { is: 'failed', fault } });
      },
    );
    return () => control.abort();
  }, [path, turn, count]);
  const asked: Asked<T> = state.path === path ? state.asked : { is: 'asking' };
  return { ...asked, again: () => setCount((before) => before + 1) };
}

/** Something that a person orders once: whether it is under way, and what came of the last time. */
export function useOrder<T>(): {
  readonly isBusy: boolean;
  readonly fault: AskFault | undefined;
  readonly value: T | undefined;
  readonly run: (order: () => Promise<T>) => Promise<T | undefined>;
  readonly clear: () => void;
} {
  const [state, setState] = useState<{ isBusy: boolean; fault?: AskFault; value?: T }>({ isBusy: false });
  const run = async (order: () => Promise<T>): Promise<T | undefined> => {
    setState({ isBusy: true });
    try {
      const value = await order();
      setState({ isBusy: false, value });
      return value;
    } catch (fault) {
      if (!(fault instanceof AskFault)) throw fault;
      setState({ isBusy: false, fault });
      return undefined;
    }
  };
  return {
    isBusy: state.isBusy,
    fault: state.fault,
    value: state.value,
    run,
    clear: () => setState({ isBusy: false }),
  };
}
