import { AskFault, faultOf, reach } from './ask.js';
import { EventStreamText } from './event-stream.js';
import { afterEvent, type LiveSite } from './live-site.js';
import { Store } from './store.js';

/** The gateway says something every 15 s, if only a comment: longer than this, and the contact is lost. */
const SILENCE_MS = 35_000;
/** Waits before each attempt to come back. */
const BACK_OFF_MS = [1_000, 2_000, 3_000, 5_000, 10_000];

export type Contact =
  | { readonly is: 'opening' }
  | { readonly is: 'live' }
  /** `since`: the last word from the gateway; `triesAgainMs`: on the page's steady clock. */
  | { readonly is: 'lost'; readonly since: Date; readonly triesAgainMs: number };

/** The site, as live as the contact with the gateway is. */
export const liveSite = new Store<LiveSite | undefined>(undefined);
export const contact = new Store<Contact>({ is: 'opening' });

let running: AbortController | undefined;
let hurry: () => void = () => undefined;

/** Follows the site until `stopLive`; `sessionOver` is called when the gateway says that the session is. */
export function startLive(sessionOver: () => void): void {
  stopLive();
  const control = new AbortController();
  running = control;
  void follow(control.signal, sessionOver);
}

export function stopLive(): void {
  running?.abort();
  running = undefined;
  liveSite.set(undefined);
  contact.set({ is: 'opening' });
}

/** Does not wait for the next attempt. */
export function tryNow(): void {
  hurry();
}

async function follow(signal: AbortSignal, sessionOver: () => void): Promise<void> {
  let heard = new Date();
  let failures = 0;
  const onWord = () => {
    heard = new Date();
    failures = 0;
  };
  while (!signal.aborted) {
    const end = await readOnce(signal, onWord);
    if (signal.aborted) return;
    if (end === 'session-over') return sessionOver();
    const waitMs = BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)] ?? 1_000;
    failures += 1;
    contact.set({ is: 'lost', since: heard, triesAgainMs: performance.now() + waitMs });
    await waited(waitMs, signal);
  }
}

/** Reads one stream to its end, of whatever kind that is. */
async function readOnce(outer: AbortSignal, onWord: () => void): Promise<'lost' | 'session-over'> {
  const inner = new AbortController();
  const stop = () => inner.abort();
  outer.addEventListener('abort', stop);
  let silence = window.setTimeout(stop, SILENCE_MS);
  try {
    const answer = await reach('api/live', { headers: { accept: 'text/event-stream' }, signal: inner.signal });
    if (!answer.ok) throw await faultOf(answer);
    if (answer.body === null) return 'lost';
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const text = new EventStreamText();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 'lost';
      window.clearTimeout(silence);
      silence = window.setTimeout(stop, SILENCE_MS);
      onWord();
      for (const { name, data } of text.take(value)) {
        if (name === 'bye') return 'session-over';
        liveSite.set(afterEvent(liveSite.value, name, JSON.parse(data), performance.now()));
        contact.set({ is: 'live' });
      }
    }
  } catch (fault) {
    // Whatever broke the stream, the answer is the same: it is lost, the page says so, and it comes back by itself.
    if (fault instanceof AskFault && fault.code === 'session.none') return 'session-over';
    if (fault instanceof SyntaxError) console.error('the gateway sent an event that is no JSON', fault);
    return 'lost';
  } finally {
    window.clearTimeout(silence);
    outer.removeEventListener('abort', stop);
    inner.abort();
  }
}

function waited(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      window.clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = window.setTimeout(done, ms);
    signal.addEventListener('abort', done);
    hurry = done;
  });
}
