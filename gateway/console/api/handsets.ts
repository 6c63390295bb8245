/** One handset as it is now. */
import type { EndedView, FactWords } from './calls.js';
import type { AudioTestProgress } from './line-tests.js';

export type Phase = 'idle' | 'calling' | 'ringing' | 'talking' | 'ended';

/** What somebody who is signed on does. */
export type WorkActivity = 'signed-on' | 'no-work' | 'ringing' | 'talking' | 'wrap-up' | 'pause' | 'away';

export interface HandsetView {
  readonly handset: string;
  readonly wing: string;
  readonly phase: Phase;
  readonly hook: 'on' | 'off' | 'unknown' | 'none';
  readonly relay: 'connected' | 'open' | 'unknown' | 'none';
  readonly registered: boolean;
  readonly disabled: boolean;
  readonly call?: string;
  /** Who is signed on there to work for campaigns, and what that person does since when; the contact is nobody's business. */
  readonly work?: { readonly person: string; readonly activity: WorkActivity; readonly since: string };
  /** While talking: whole seconds of talk left, those of the whole grant, and when it ends. */
  readonly leftS?: number;
  readonly grantS?: number;
  readonly until?: string;
  /** The last refusal, for two minutes. */
  readonly refusedAt?: string;
  readonly rule?: string;
  readonly fact?: string;
  readonly facts?: FactWords;
  readonly refusedCall?: string;
  /** The order in force that keeps it from calling: its own, its wing's or the site's; no `until`: until released. */
  readonly cut?: {
    readonly kind: 'handset' | 'wing' | 'site';
    readonly since: string;
    readonly until?: string;
    readonly reason: string;
  };
  /** Why its line cannot be trusted now, e.g. its controller is lost. */
  readonly fault?: string;
  /** The audio test that was ordered of it; what came of it stays for two minutes. */
  readonly audioTest?: AudioTestProgress;
}

/** Its relay and its hook input on a board, counted from 0. */
export interface LinePlace {
  readonly board: string;
  readonly channel: number;
  readonly hook: number;
}

/** GET /api/handsets/:id */
export interface HandsetPage {
  readonly view: HandsetView;
  readonly user: string;
  readonly wing: string;
  readonly profile: string;
  readonly language: string;
  /** Its relay and hook input on the board, counted from 0. */
  readonly line?: { readonly board: string; readonly channel: number; readonly hook: number };
  /** The phone that it was given, and how far that is. */
  readonly phone?: {
    readonly model: string;
    readonly mac: string;
    readonly port: number;
    readonly state: 'none' | 'by-hand' | 'armed' | 'fetched' | 'enrolled' | 'expired' | 'mismatch' | 'unreadable';
    /** The same in a sentence, in English. */
    readonly detail: string;
  };
  readonly registration?: {
    /** Address and port that it registered from. */
    readonly address: string;
    readonly userAgent?: string;
    readonly since: string;
    readonly expiresAt: string;
  };
  readonly lastCalls: readonly EndedView[];
}
