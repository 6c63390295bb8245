import Sqlite, { type Database } from 'better-sqlite3';
import type { WorkActivityData } from '../../config/schema/types.generated.js';
import type { EventDraft } from '../../gateway/calls/ports.js';
import { migrate } from '../../gateway/store/migrations.js';
import { WorkTables } from '../../gateway/store/work-tables.js';
import type { WorkStore } from '../../gateway/work/ports.js';
import type { Life } from './life.js';

/** The part of the simulated disk that a work transaction goes through: it throws when the disk is broken, and keeps events. */
export interface WorkDisk {
  transact(events: readonly EventDraft[]): void;
}

export interface WorkStoreWatcher {
  /** An event of the work is durable, or the disk did not take it. */
  noted(event: EventDraft): void;
  lost(event: EventDraft): void;
}

/**
 * The production tables of the work on SQLite in memory: what a transaction has returned from survives the process and the power,
 * as those past fsync do. Each transaction is a point at which the process may die; what a technician changes meanwhile is not.
 */
export class SimWorkStore {
  readonly tables: WorkTables;
  private readonly db: Database;
  private life: Life | undefined;
  private sequence = 0;

  constructor(
    private readonly disk: WorkDisk,
    private readonly watcher: WorkStoreWatcher,
  ) {
    this.db = new Sqlite(':memory:');
    migrate(this.db);
    this.tables = new WorkTables(
      this.db,
      (events, fact) => this.write(events, fact),
      (fact) => this.write([], fact),
    );
  }

  /** The disk as a life of the gateway has it. @param attempted told of each attempt that is durable. */
  of(life: Life, attempted: (ref: number) => void): WorkStore {
    this.life = life;
    const store: WorkStore = Object.create(this.tables);
    return Object.assign(store, {
      attempt: (...counted: Parameters<WorkStore['attempt']>) => {
        this.tables.attempt(...counted);
        attempted(counted[0]);
      },
    });
  }

  /** What another process does. */
  outside(work: () => void): void {
    const { life } = this;
    this.life = undefined;
    work();
    this.life = life;
  }

  private write(events: readonly EventDraft[], fact: () => void): void {
    const { life } = this;
    if (life === undefined) {
      this.commit(events, fact);
      return;
    }
    life.point(() => {
      try {
        this.disk.transact(events);
      } catch (fault) {
        for (const event of events) this.watcher.lost(event);
        throw fault;
      }
      this.commit(events, fact);
      for (const event of events) this.watcher.noted(event);
    });
  }

  private commit(events: readonly EventDraft[], fact: () => void): void {
    const insert = this.db.prepare(
      "INSERT INTO event (sequence, kind, body, hash, newest_ms) VALUES (?, 'event', ?, ?, 0)",
    );
    this.db.transaction(() => {
      fact();
      for (const { type, data } of events) {
        this.sequence += 1;
        const time = (data as Partial<WorkActivityData>).at;
        insert.run(this.sequence, `{"type":"${type}","time":"${time}","data":${JSON.stringify(data)}}`, 'hash');
      }
      // The chain itself is the simulated disk's; the tables keep of it what statements rest on.
      if (events.length > 0) this.db.prepare('DELETE FROM event').run();
    })();
  }
}
