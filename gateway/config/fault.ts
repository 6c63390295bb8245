/**
 * What can be wrong with a site's files, said so that a technician can mend it: where, what was found, what was expected,
 * what to do. All faults of a folder are reported at once; the program then exits 78 (EX_CONFIG) and starts nothing.
 */

/** The exit status of a program whose configuration is at fault (sysexits.h). */
export const EX_CONFIG = 78;

/** One fault of one file. Nothing in it is a secret: passwords and hashes are never quoted. */
export interface Fault {
  /** The file's name in the site's folder, e.g. `handsets.json`. */
  readonly file: string;
  /** JSON pointer (RFC 6901) to the value, e.g. `/3/wing`; empty for the file as a whole. */
  readonly pointer: string;
  /** Line and column in the file, from 1, where known. */
  readonly line?: number;
  readonly column?: number;
  /** The value as it stands in the file, shortened. */
  readonly found: string;
  readonly expected: string;
  /** What to do about it. */
  readonly hint: string;
}

/** Thrown when a site's configuration cannot be used; carries every fault found, in the order of files and lines. */
export class ConfigFault extends Error {
  override readonly name = 'ConfigFault';
  readonly exitCode = EX_CONFIG;

  constructor(
    readonly folder: string,
    readonly faults: readonly Fault[],
  ) {
    const [first] = faults;
    const where = first === undefined ? '' : `: ${first.file}${first.pointer} ${first.expected}`;
    super(`${folder}: ${counted(faults.length)} in the configuration${where}`);
  }
}

const MOST_SHOWN = 200;
const LABELS = { found: 'found', expected: 'expected', hint: 'what to do' } as const;

function counted(faults: number): string {
  return faults === 1 ? '1 fault' : `${faults} faults`;
}

function place(fault: Fault): string {
  const line = fault.line === undefined ? '' : `:${fault.line}:${fault.column ?? 1}`;
  return `${fault.file}${line}${fault.pointer === '' ? '' : `  ${fault.pointer}`}`;
}

/** All faults as text for a terminal: a block each, headed by file, line and pointer. At most 200 are written out. */
export function formatFaults(fault: ConfigFault): string {
  const width = Math.max(...Object.values(LABELS).map((label) => label.length));
  const blocks = fault.faults
    .slice(0, MOST_SHOWN)
    .map((one) =>
      [
        place(one),
        ...(Object.entries(LABELS) as ['found' | 'expected' | 'hint', string][])
          .filter(([key]) => one[key] !== '')
          .map(([key, label]) => `  ${label.padEnd(width)}  ${one[key]}`),
      ].join('\n'),
    );
  const left = fault.faults.length - blocks.length;
  if (left > 0) blocks.push(`… and ${left} more`);
  const head = `${fault.folder}: ${counted(fault.faults.length)} in the configuration; nothing was started`;
  return `${[head, ...blocks].join('\n\n')}\n`;
}

const SECRET = /^(password|secret|tokenKey|MD5|SHA-256|ha1|d)$/;
const LONGEST = 72;

/** A value as a fault may quote it: short, on one line, and never a secret. `name` is the setting's own name. */
export function quoted(value: unknown, name: string | undefined): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list []' : `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) {
    const names = Object.keys(value);
    return names.length === 0 ? 'an empty object {}' : shortened(`an object {${names.join(', ')}}`);
  }
  if (name !== undefined && SECRET.test(name)) {
    return typeof value === 'string' ? `${value.length} characters (not shown)` : `a ${typeof value} (not shown)`;
  }
  // A URL may carry a password before its @.
  return shortened(JSON.stringify(value).replace(/\/\/[^@/"]*@/, '//…@'));
}

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}
