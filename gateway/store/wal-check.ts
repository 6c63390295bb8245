/**
 * Reads SQLite's write-ahead log back, frame by frame. After a failed fsync the kernel may have dropped what it could not write;
 * SQLite goes by its index of the log and would not notice.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** SQLite, "WAL mode file format" §4.1: the log's header; its magic says by which order of bytes it is summed. */
const LOG_HEADER = 32;
const MAGIC = 0x377f0682;
const FRAME_HEADER = 24;
/** Bytes that are read at once. */
const CHUNK = 1024 * 1024;

type Sums = readonly [number, number];

/** What is wrong with the first `frames` frames of a log, in words; undefined when each is as it was written. */
export function walFault(log: string, frames: number): string | undefined {
  if (frames <= 0) return undefined;
  // SQLite locks the database and its index, never the log: a handle to it that is closed frees no lock of ours.
  const file = openSync(log, 'r');
  try {
    return framesFault(file, frames);
  } finally {
    closeSync(file);
  }
}

function framesFault(file: number, frames: number): string | undefined {
  const header = Buffer.alloc(LOG_HEADER);
  if (readSync(file, header, 0, LOG_HEADER, 0) < LOG_HEADER) return 'it has no header';
  const magic = header.readUInt32BE(0);
  if ((magic & ~1) !== MAGIC) return 'its header is not one of a log';
  const isBigEndian = (magic & 1) === 1;
  const salt = header.subarray(16, 24);
  const size = FRAME_HEADER + header.readUInt32BE(8);
  const chunk = Buffer.alloc(Math.max(1, Math.floor(CHUNK / size)) * size);
  let sums = summed(header.subarray(0, 24), [0, 0], isBigEndian);
  let at = 0;
  while (at < frames) {
    const part = chunk.subarray(0, Math.min(chunk.length, (frames - at) * size));
    if (readSync(file, part, 0, part.length, LOG_HEADER + at * size) < part.length) return 'it is too short';
    for (let from = 0; from < part.length; from += size) {
      at += 1;
      const frame = part.subarray(from, from + size);
      sums = summed(frame.subarray(FRAME_HEADER), summed(frame.subarray(0, 8), sums, isBigEndian), isBigEndian);
      const isWhole = frame.readUInt32BE(16) === sums[0] && frame.readUInt32BE(20) === sums[1];
      if (!isWhole || !frame.subarray(8, 16).equals(salt)) return `frame ${at} of ${frames} is not what was written`;
    }
  }
  return undefined;
}

/** The running checksum (§4.2) over more bytes, a multiple of eight. */
function summed(bytes: Buffer, [before0, before1]: Sums, isBigEndian: boolean): Sums {
  let [a, b] = [before0, before1];
  for (let at = 0; at < bytes.length; at += 8) {
    a = (a + (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + b) >>> 0;
    b = (b + (isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + a) >>> 0;
  }
  return [a, b];
}
