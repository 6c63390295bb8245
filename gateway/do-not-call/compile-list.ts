/**
 * Compiles numbers in any order, doubled or not, to a list file, in bounded memory: sorted runs on disk, then one merge.
 * The file takes its place by a rename, so that whoever reads finds the old list or the new one and never half of it.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BUCKET } from '../policy/number-set.js';
import { HEAD_BYTES, headOf, type ListHead } from './list-file.js';

/** Numbers of one run: 8 MB. */
const RUN = 1_000_000;
/** Numbers that the merge reads of a run at a time. */
const SIP = 8_192;

export interface Compiled {
  readonly numbers: number;
  readonly doubled: number;
  readonly bytes: number;
}

/**
 * Takes numbers (E.164 digits as integers, without +) one by one, and writes the list at the end. All that it writes before
 * the list takes its place is in one hidden folder beside the file: `discard` or `finish` must be called, or it stays until
 * the next compiling of this list, which sweeps it away.
 */
export class ListCompiler {
  readonly #folder: string;
  readonly #run = new Float64Array(RUN);
  readonly #runs: string[] = [];
  #filled = 0;
  #taken = 0;

  constructor(private readonly file: string) {
    sweep(file);
    this.#folder = mkdtempSync(join(dirname(file), `.${basename(file)}-${process.pid}-`));
  }

  add(number: number): void {
    this.#run[this.#filled] = number;
    this.#filled += 1;
    this.#taken += 1;
    if (this.#filled === RUN) this.#spill();
  }

  discard(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @param madeMs when the list was made, epoch milliseconds: its age counts from there. */
  finish(madeMs: number): Compiled {
    try {
      this.#spill();
      return this.#write(madeMs);
    } finally {
      this.discard();
    }
  }

  #spill(): void {
    if (this.#filled === 0) return;
    const sorted = this.#run.subarray(0, this.#filled).sort();
    const path = join(this.#folder, `run-${this.#runs.length}`);
    const handle = openSync(path, 'w');
    writeAll(handle, Buffer.from(sorted.buffer, 0, sorted.byteLength));
    closeSync(handle);
    this.#runs.push(path);
    this.#filled = 0;
  }

  #write(madeMs: number): Compiled {
    const lowsPath = join(this.#folder, 'lows');
    const lows = openSync(lowsPath, 'w+');
    const buffer = new Uint16Array(SIP * 4);
    const keys: number[] = [];
    const starts: number[] = [];
    let buffered = 0;
    let numbers = 0;
    const flush = (): void => {
      writeAll(lows, Buffer.from(buffer.buffer, 0, buffered * 2));
      buffered = 0;
    };
    for (const number of merged(this.#runs)) {
      const key = Math.floor(number / BUCKET);
      if (key !== keys.at(-1)) {
        keys.push(key);
        starts.push(numbers);
      }
      buffer[buffered] = number % BUCKET;
      buffered += 1;
      numbers += 1;
      if (buffered === buffer.length) flush();
    }
    flush();
    starts.push(numbers);
    const index = Buffer.concat([bytesOf(Float64Array.from(keys)), bytesOf(Uint32Array.from(starts))]);
    const bytes = this.#assemble(lows, index, { buckets: keys.length, numbers, madeMs });
    return { numbers, doubled: this.#taken - numbers, bytes };
  }

  #assemble(lows: number, index: Buffer, head: ListHead): number {
    const fresh = join(this.#folder, 'list');
    const out = openSync(fresh, 'w', 0o600);
    const first = headOf(head);
    const hash = createHash('sha256').update(first.subarray(0, 24)).update(first.subarray(56)).update(index);
    writeAll(out, first);
    writeAll(out, index);
    const chunk = Buffer.alloc(1 << 20);
    let at = 0;
    for (
      let got = readSync(lows, chunk, 0, chunk.length, 0);
      got > 0;
      got = readSync(lows, chunk, 0, chunk.length, at)
    ) {
      hash.update(chunk.subarray(0, got));
      writeAll(out, chunk.subarray(0, got));
      at += got;
    }
    closeSync(lows);
    writeAll(out, hash.digest(), 24);
    fsyncSync(out);
    closeSync(out);
    renameSync(fresh, this.file);
    syncFolder(dirname(this.file));
    return HEAD_BYTES + index.length + at;
  }
}

/** What was left beside a list by a process that died over it. */
function sweep(file: string): void {
  const begins = `.${basename(file)}-`;
  for (const name of readdirSync(dirname(file))) {
    const [, pid] = name.startsWith(begins) ? (/^(\d+)-[A-Za-z0-9]{6}$/.exec(name.slice(begins.length)) ?? []) : [];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(dirname(file), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    // Another's process is one that we may not ask.
    return (fault as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

const bytesOf = (array: Float64Array | Uint32Array): Buffer => Buffer.from(array.buffer, 0, array.byteLength);

function writeAll(handle: number, bytes: Buffer, position: number | null = null): void {
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(handle, bytes, at, bytes.length - at, position === null ? null : position + at);
  }
}

/** The rename is on disk when its folder is. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

/** One run, read a little at a time. */
class Run {
  readonly #handle: number;
  readonly #sip = new Float64Array(SIP);
  #have = 0;
  #at = 0;

  constructor(path: string) {
    this.#handle = openSync(path, 'r');
  }

  /** The next number, in order; undefined at the end, when the file is closed. */
  next(): number | undefined {
    if (this.#at === this.#have) {
      this.#have = readSync(this.#handle, Buffer.from(this.#sip.buffer), 0, this.#sip.byteLength, null) / 8;
      this.#at = 0;
      if (this.#have === 0) {
        closeSync(this.#handle);
        return undefined;
      }
    }
    this.#at += 1;
    return this.#sip[this.#at - 1];
  }
}

/** The numbers of all runs in order, each once. */
function* merged(paths: readonly string[]): Generator<number> {
  const heads = paths.flatMap((path) => {
    const run = new Run(path);
    const value = run.next();
    return value === undefined ? [] : [{ run, value }];
  });
  let last = -1;
  while (heads.length > 0) {
    let least = 0;
    for (let i = 1; i < heads.length; i += 1) if ((heads[i]?.value ?? 0) < (heads[least]?.value ?? 0)) least = i;
    const head = heads[least];
    if (head === undefined) return;
    if (head.value !== last) yield head.value;
    last = head.value;
    const value = head.run.next();
    if (value === undefined) heads.splice(least, 1);
    else head.value = value;
  }
}
