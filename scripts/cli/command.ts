import type { Readable, Writable } from 'node:stream';

/** How a command ends; the words are in `balise --help`. */
export const EXIT = {
  ok: 0,
  /** The command did its work, and the answer is no: a call would be refused. */
  no: 1,
  /** EX_USAGE (sysexits.h). */
  usage: 64,
  /** EX_UNAVAILABLE: no gateway answers. */
  unavailable: 69,
  /** EX_SOFTWARE: a bug of ours. */
  software: 70,
  /** EX_CONFIG: the site's files are at fault; every fault is on stderr. */
  config: 78,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Where a command reads and writes. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** One command of `balise`. */
export interface Command {
  readonly name: string;
  /** Other names that it goes by. */
  readonly aliases?: readonly string[];
  /** One line for the list of commands. */
  readonly summary: string;
  /** Usage, options and an example. */
  readonly help: string;
  run(args: readonly string[], terminal: Terminal): Promise<ExitCode>;
}

/** Thrown when a command was called wrongly; the message says what to do. */
export class UsageFault extends Error {
  override readonly name = 'UsageFault';
}

/** The value of an option that must be given. */
export function needed(value: string | undefined, option: string): string {
  if (value === undefined || value === '') throw new UsageFault(`${option} is missing`);
  return value;
}
