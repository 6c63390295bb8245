import { writeSync } from 'node:fs';
import pino, { type Logger } from 'pino';

/** What is not written yet and more than this is dropped, bytes: whoever reads the log has stopped. */
const MOST_WAITING = 1_000_000;
/** How long the last lines may take, milliseconds. */
const LAST_LINES_MS = 500;

/** The log of an agent, one JSON object a line on standard output. */
export interface AgentLog {
  readonly log: Logger;
  /** Ends the process once what was logged is written, or cannot be: whether anybody reads it or not. */
  leave(code: number): void;
}

/** A log that never blocks: an agent that waits for its reader holds relays closed meanwhile. */
export function agentLog(): AgentLog {
  // With no least length flush() waits for nothing, and the last lines are lost at a busy machine's exit.
  const destination = pino.destination({ fd: 1, sync: false, minLength: 1, maxLength: MOST_WAITING });
  // A parent that died takes no more lines; standard input tells of its death.
  destination.on('error', () => undefined);
  const leave = (code: number): void => {
    const end = (): never => {
      // At the exit the log would try once more, and for ever where nobody reads it any more.
      destination.flushSync = () => undefined;
      process.exit(code);
    };
    destination.flush(end);
    setTimeout(end, LAST_LINES_MS);
  };
  return { log: pino({ base: undefined }, destination), leave };
}

/** Says why the agent does not start, and ends with 78 (EX_CONFIG): nothing of it is running yet. */
export function cannotStart(fault: unknown): never {
  const msg = fault instanceof Error ? fault.message : String(fault);
  writeSync(1, `${JSON.stringify({ level: 60, event: 'config.fault', msg })}\n`);
  process.exit(78);
}
