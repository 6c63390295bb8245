/** The site as a whole: its view, live and once, its status, its audit chain. */
import type { ScanView } from './board-scan.js';
import type { EndedView } from './calls.js';
import type { ErrorCode } from './faults.js';
import type { HandsetView, WorkActivity } from './handsets.js';
import type { BoardView, PlaneView, UplinkView } from './parts.js';

export interface AlarmView {
  readonly at: string;
  /** Stable; the page has words of its own for each, with what stands below to fill in. */
  readonly code: string;
  /** The same in English, with all that is known of it. */
  readonly detail: string;
  /** Of a handset's line or call. */
  readonly handset?: string;
  readonly board?: string;
  /** The address that it came from. */
  readonly address?: string;
  /** `cutoff`: what was ordered and what came of it. */
  readonly cut?: { readonly calls: number; readonly reason: string; readonly by: string };
}

/** A wing, with how it stands as a whole. */
export interface WingView {
  readonly wing: string;
  readonly handsets: number;
  readonly cut?: HandsetView['cut'];
}

export interface SiteView {
  readonly site: string;
  readonly gateway: string;
  readonly zone: string;
  readonly at: string;
  /** In words. */
  readonly clock: string;
  readonly clockTrusted: boolean;
  readonly planes: readonly PlaneView[];
  readonly wings: readonly WingView[];
  readonly handsets: readonly HandsetView[];
  readonly boards: readonly BoardView[];
  /** The scan for boards that goes on, or the last one. */
  readonly scan?: ScanView;
  readonly uplink: UplinkView;
  /** What a handset can be given: names of profiles. */
  readonly profiles?: readonly string[];
  /** The last ones, newest first. */
  readonly ended: readonly EndedView[];
  readonly alarms: readonly AlarmView[];
  /** An order that holds the whole site. */
  readonly cut?: HandsetView['cut'];
}

/**
 * GET /api/live: server-sent events by these names; the data is the JSON of the value. The first is `view`. A client too slow
 * to take them is let go, and its EventSource comes back to a fresh `view`. `bye`: the session is over; do not come back by
 * itself.
 */
export interface LiveEvents {
  readonly view: SiteView;
  readonly handset: HandsetView;
  readonly ended: EndedView;
  readonly alarm: AlarmView;
  readonly planes: readonly PlaneView[];
  readonly boards: readonly BoardView[];
  readonly scan: ScanView;
  readonly uplink: UplinkView;
  readonly bye: { readonly code: ErrorCode };
}

/** GET /api/status */
export interface StatusView {
  readonly site: string;
  readonly gateway: string;
  readonly version: string;
  readonly startedAt: string;
  readonly at: string;
  readonly clock: { readonly trusted: boolean; readonly why?: string };
  readonly planes: readonly PlaneView[];
  readonly calls: number;
  readonly handsets: { readonly all: number; readonly registered: number; readonly offHook: number };
  /** How many people are signed on to work, and how many of them do what. */
  readonly work: { readonly signedOn: number; readonly doing: Readonly<Partial<Record<WorkActivity, number>>> };
  readonly boards: { readonly all: number; readonly up: number };
  readonly uplink: UplinkView;
  readonly disk: {
    readonly usedBytes: number;
    readonly limitBytes: number;
    readonly freeBytes: number;
    readonly hasRoom: boolean;
  };
  readonly policy: { readonly source: 'folder' | 'bundle'; readonly version?: number; readonly state: string };
  /** What stands against calls now, in words; empty when nothing does. */
  readonly troubles: readonly string[];
}

/** GET /api/audit?before=<sequence>&limit= */
export interface AuditView {
  readonly events: readonly AuditEvent[];
  readonly before?: number;
}

export interface AuditEvent {
  readonly sequence: number;
  readonly at: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly hash: string;
}
