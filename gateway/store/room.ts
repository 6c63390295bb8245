import { statfsSync } from 'node:fs';
import type { Database, Statement } from 'better-sqlite3';
import type { Clock } from '../clock/clock.js';

/** Kept free below the limit, so that calls that are up can still be recorded, bytes. */
const MOST_RESERVE = 16 * 1024 * 1024;
/** The file system must have at least this left, bytes. */
const DISK_RESERVE = 32 * 1024 * 1024;
/** How old a reading of the file system may be, nanoseconds. */
const LOOK_AGAIN_NS = 1_000_000_000n;

/** Room is short with less than this share of the limit left, or as much of the file system beside its reserve; and until there is more. */
const SHORT_BELOW = 0.2;
const SHORT_UNTIL = 0.25;

export interface RoomReport {
  /** What the database holds, free pages not counted, bytes. */
  readonly usedBytes: number;
  readonly limitBytes: number;
  /** What the file system has left for us, bytes. */
  readonly freeBytes: number;
  readonly hasRoom: boolean;
  /** Room is nearly out: telemetry is thinned, so that calls can go on. */
  readonly isShort: boolean;
}

/** Whether the disk can take more calls. Cheap enough to be asked at each. */
export class Room {
  private readonly pages: Statement;
  private readonly freePages: Statement;
  private readonly pageSize: number;
  private freeBytes = 0;
  private isShort = false;
  private lookedNs: bigint | undefined;

  constructor(
    db: Database,
    private readonly folder: string,
    private readonly clock: Clock,
    private readonly limitBytes: number,
  ) {
    this.pages = db.prepare('PRAGMA page_count').pluck();
    this.freePages = db.prepare('PRAGMA freelist_count').pluck();
    this.pageSize = db.pragma('page_size', { simple: true }) as number;
  }

  report(): RoomReport {
    const usedBytes = ((this.pages.get() as number) - (this.freePages.get() as number)) * this.pageSize;
    const nowNs = this.clock.monotonicNs();
    if (this.lookedNs === undefined || nowNs - this.lookedNs > LOOK_AGAIN_NS) {
      const { bavail, bsize } = statfsSync(this.folder);
      this.freeBytes = bavail * bsize;
      this.lookedNs = nowNs;
    }
    const reserve = Math.min(MOST_RESERVE, this.limitBytes / 10);
    const hasRoom = usedBytes < this.limitBytes - reserve && this.freeBytes > DISK_RESERVE;
    const share = this.isShort ? SHORT_UNTIL : SHORT_BELOW;
    this.isShort = this.limitBytes - usedBytes < this.limitBytes * share || this.freeBytes < DISK_RESERVE * share * 20;
    return { usedBytes, limitBytes: this.limitBytes, freeBytes: this.freeBytes, hasRoom, isShort: this.isShort };
  }
}
