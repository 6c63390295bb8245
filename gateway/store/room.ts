import { statfsSync } from 'node:fs';
import type { Database, Statement } from 'better-sqlite3';
import type { Clock } from '../clock/clock.js';

/** Kept free below the limit, so that calls that are up can still be recorded, bytes. */
const MOST_RESERVE = 16 * 1024 * 1024;
/** The file system must have at least this left, bytes. */
const DISK_RESERVE = 32 * 1024 * 1024;
/** How old a reading of the file system may be, nanoseconds. */
const LOOK_AGAIN_NS = 1_000_000_000n;

export interface RoomReport {
  /** What the database holds, free pages not counted, bytes. */
  readonly usedBytes: number;
  readonly limitBytes: number;
  /** What the file system has left for us, bytes. */
  readonly freeBytes: number;
  readonly hasRoom: boolean;
}

/** Whether the disk can take more calls. Cheap enough to be asked at each. */
export class Room {
  private readonly pages: Statement;
  private readonly freePages: Statement;
  private readonly pageSize: number;
  private freeBytes = 0;
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
    return { usedBytes, limitBytes: this.limitBytes, freeBytes: this.freeBytes, hasRoom };
  }
}
