import type { Temporal } from 'temporal-polyfill';
import type { AudioTestReport } from './calls/audio-tests.js';
import type { CallObserver } from './calls/ports.js';
import type { CallRecord } from './calls/record.js';
import type { Clock } from './clock/clock.js';
import { instantText } from './clock/instant-text.js';
import type { SiteFiles } from './config/site.js';
import type { ScanView } from './console/api/board-scan.js';
import type { EndedView } from './console/api/calls.js';
import type { HandsetView } from './console/api/handsets.js';
import type { CutTarget } from './console/api/orders.js';
import type { BoardView, PlaneView, UplinkView } from './console/api/parts.js';
import type { AlarmView, SiteView } from './console/api/site.js';
import type { SiteListener } from './console/source.js';
import { targetName } from './console/target-name.js';
import { type HandsetId, handsetId } from './policy/ids.js';
import type { LineFacts, Lockdown } from './policy/request.js';

const MOST_SHOWN = 50;
/** A refusal stays with its handset this long, milliseconds. */
const REFUSAL_SHOWN_MS = 120_000;

interface Shown {
  readonly phase: HandsetView['phase'];
  readonly call: string;
  readonly until?: Temporal.Instant;
  /** Whole seconds from the answer to the end that was granted then. */
  readonly grantS?: number;
}

interface Refused {
  readonly atMs: number;
  readonly shown: Pick<HandsetView, 'refusedAt' | 'rule' | 'fact' | 'facts' | 'refusedCall'>;
}

type Handset = SiteFiles['handsets'][number];
type Cut = NonNullable<HandsetView['cut']>;

/** What the rest of the gateway says at the moment it is asked. */
export interface SiteSources {
  readonly line: (handset: HandsetId) => LineFacts;
  readonly isRegistered: (handset: HandsetId) => boolean;
  readonly isEnabled: (handset: HandsetId) => boolean;
  readonly planes: () => readonly PlaneView[];
  readonly lockdowns: () => readonly Lockdown[];
  readonly boards: () => readonly BoardView[];
  /** Why a board's word is not believed. */
  readonly boardDetail: (board: string) => string;
  /** What decided a refusal, in other languages. */
  readonly facts?: (call: string) => Pick<EndedView, 'facts'>;
  readonly scan?: () => ScanView | undefined;
  readonly uplink: () => UplinkView;
  /** How the audio test of a handset stands. */
  readonly audioTest?: (handset: HandsetId) => AudioTestReport | undefined;
}

/** Remembers what the technicians' page shows: phases, the last calls, the last alarms. It watches and decides nothing. */
export class SiteWatch {
  /** By handset, the calls that are up in the order of their beginning: at the work desk there are two while a contact is called. */
  readonly #phases = new Map<string, readonly Shown[]>();
  readonly #work = new Map<string, NonNullable<HandsetView['work']>>();
  readonly #refused = new Map<string, Refused>();
  readonly #ended: EndedView[] = [];
  readonly #alarms: AlarmView[] = [];
  readonly #listeners = new Set<SiteListener>();

  constructor(
    private readonly files: SiteFiles,
    private readonly clock: Clock,
    private readonly sources: SiteSources,
  ) {}

  /** To be given to `calls`. */
  readonly observer: CallObserver = {
    handset: (handset, phase, { call, until }) => {
      const before = this.#phases.get(handset) ?? [];
      if (phase === 'ended' || phase === 'idle') {
        this.#phases.set(
          handset,
          before.filter((one) => one.call !== call),
        );
      } else this.#phases.set(handset, this.#withPhase(before, phase, call, until));
      this.changed();
    },
    ended: (record) => this.#ends(record),
    cutoff: (order, result) =>
      this.alarm(
        'cutoff',
        `${order.reason}: ${result.calls} ${result.calls === 1 ? 'call' : 'calls'} cut, by ${order.by}`,
        { cut: { calls: result.calls, reason: order.reason, by: order.by } },
      ),
  };

  /** @param about Whom or what it is about, where that is known. */
  alarm(code: string, detail: string, about: Pick<AlarmView, 'handset' | 'board' | 'address' | 'cut'> = {}): void {
    const alarm: AlarmView = { at: this.clock.wall().toString(), code, detail, ...about };
    this.#alarms.unshift(alarm);
    this.#alarms.length = Math.min(this.#alarms.length, MOST_SHOWN);
    for (const listener of this.#listeners) listener.alarm(alarm);
  }

  /** Somebody who is signed on at a handset does something else; undefined: nobody is any more. */
  work(handset: HandsetId, doing: Pick<NonNullable<HandsetView['work']>, 'person' | 'activity'> | undefined): void {
    if (doing === undefined) this.#work.delete(handset);
    else this.#work.set(handset, { ...doing, since: this.clock.wall().toString() });
    this.changed();
  }

  /** Takes the last calls of before, newest first, so that a restart does not empty the page. */
  remember(ended: readonly EndedView[]): void {
    this.#ended.push(...ended.slice(0, MOST_SHOWN - this.#ended.length));
  }

  /** Something that the view shows has changed: those who look on hear of it now and not at their next look. */
  changed(): void {
    for (const listener of this.#listeners) listener.changed();
  }

  /** Returns what takes the listener off again. */
  listen(listener: SiteListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  view(): SiteView {
    const { site } = this.files;
    const now = this.clock.wall();
    const trust = this.clock.trust();
    const cuts = this.#cuts();
    const ofSite = cuts.get('site');
    const scan = this.sources.scan?.();
    return {
      site: site.site,
      gateway: site.gateway,
      zone: site.zone,
      at: now.toString(),
      clock: trust.trusted ? 'clock trusted' : `clock not trusted: ${trust.why}`,
      clockTrusted: trust.trusted,
      planes: this.sources.planes(),
      wings: this.files.wings.map(({ id }) => {
        const cut = cuts.get(`wing ${id}`);
        const handsets = this.files.handsets.filter(({ wing }) => wing === id).length;
        return { wing: id, handsets, ...(cut === undefined ? {} : { cut }) };
      }),
      handsets: this.files.handsets.map((handset) => this.#handset(handset, now, cuts)),
      boards: this.sources.boards(),
      ...(scan === undefined ? {} : { scan }),
      profiles: this.files.profiles.map(({ id }) => id),
      uplink: this.sources.uplink(),
      ended: this.#ended,
      alarms: this.#alarms,
      ...(ofSite === undefined ? {} : { cut: ofSite }),
    };
  }

  /** One handset as the view has it; undefined for one that is none of this site's. */
  handset(id: string): HandsetView | undefined {
    const handset = this.files.handsets.find((one) => one.id === id);
    return handset === undefined ? undefined : this.#handset(handset, this.clock.wall(), this.#cuts());
  }

  /** The order in force for exactly this target. */
  standing(target: CutTarget): Cut | undefined {
    return this.#cuts().get(targetName(target));
  }

  #withPhase(
    before: readonly Shown[],
    phase: HandsetView['phase'],
    call: string,
    until: Temporal.Instant | undefined,
  ): readonly Shown[] {
    const known = before.find((one) => one.call === call);
    const shown = this.#shown(phase, call, until, known);
    return known === undefined ? [...before, shown] : before.map((one) => (one === known ? shown : one));
  }

  #shown(
    phase: HandsetView['phase'],
    call: string,
    until: Temporal.Instant | undefined,
    before: Shown | undefined,
  ): Shown {
    if (until === undefined || phase !== 'talking') return { phase, call };
    const wholeS = Math.ceil((until.epochMilliseconds - this.clock.wall().epochMilliseconds) / 1_000);
    // A deadline that comes closer later on leaves the ring as long as it was at the answer.
    const grantS = before?.call === call && before.grantS !== undefined ? before.grantS : Math.max(0, wholeS);
    return { phase, call, until, grantS };
  }

  #ends({ call, handset, endedAt, requestedAt, cause, rule, fact, talkMs, trunk }: CallRecord): void {
    const at = instantText(endedAt);
    const facts = cause === 'refused' ? this.sources.facts?.(call) : undefined;
    const ended: EndedView = {
      call,
      handset,
      at,
      cause,
      talkS: Math.round(talkMs / 1000),
      requestedAt: instantText(requestedAt),
      attempted: trunk !== undefined,
      ...(rule !== undefined && { rule }),
      ...(fact !== undefined && { fact }),
      ...facts,
    };
    this.#ended.unshift(ended);
    this.#ended.length = Math.min(this.#ended.length, MOST_SHOWN);
    if (cause === 'refused') {
      const shown = { refusedAt: at, refusedCall: call, ...(rule && { rule }), ...(fact && { fact }), ...facts };
      this.#refused.set(handset, { atMs: endedAt.epochMilliseconds, shown });
    }
    for (const listener of this.#listeners) listener.ended(ended);
    this.changed();
  }

  /** The orders in force by target; of several for one, the one that lasts longest. */
  #cuts(): ReadonlyMap<string, Cut> {
    const cuts = new Map<string, Cut>();
    for (const { target, from, until, reason } of this.sources.lockdowns()) {
      if (target.kind === 'person') continue;
      const key = targetName(target);
      const cut: Cut = {
        kind: target.kind,
        since: from.toString(),
        reason,
        ...(until === undefined ? {} : { until: until.toString() }),
      };
      const known = cuts.get(key);
      if (known === undefined || endOf(cut) > endOf(known)) cuts.set(key, cut);
    }
    return cuts;
  }

  #handset({ id, wing, line }: Handset, now: Temporal.Instant, cuts: ReadonlyMap<string, Cut>): HandsetView {
    const { fitted, hook, relay, supervised } = this.sources.line(handsetId(id));
    const { phase = 'idle', call, until, grantS } = this.#phases.get(id)?.at(-1) ?? {};
    const work = this.#work.get(id);
    const refused = this.#refused.get(id);
    const test = this.sources.audioTest?.(handsetId(id));
    const isRecent = refused !== undefined && now.epochMilliseconds - refused.atMs < REFUSAL_SHOWN_MS;
    if (!isRecent) this.#refused.delete(id);
    const [cut] = ['site', `wing ${wing}`, `handset ${id}`]
      .flatMap((key) => cuts.get(key) ?? [])
      .sort((a, b) => endOf(b) - endOf(a));
    return {
      handset: id,
      wing,
      phase,
      hook: fitted ? hook : 'none',
      relay: fitted ? relay : 'none',
      registered: this.sources.isRegistered(handsetId(id)),
      disabled: !this.sources.isEnabled(handsetId(id)),
      ...(call !== undefined && { call }),
      ...(work !== undefined && { work }),
      ...(until && {
        leftS: Math.max(0, Math.floor((until.epochMilliseconds - now.epochMilliseconds) / 1000)),
        until: until.toString(),
      }),
      ...(grantS !== undefined && { grantS }),
      ...(isRecent && refused.shown),
      ...(cut !== undefined && { cut }),
      ...(test !== undefined && { audioTest: { ...test, until: test.until.toString() } }),
      ...(fitted &&
        !supervised &&
        line !== undefined && { fault: `board ${line.board}: ${this.sources.boardDetail(line.board)}` }),
    };
  }
}

const endOf = ({ until }: Cut): number => (until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until));
