import { Temporal } from 'temporal-polyfill';
import type { CallEndedData } from '../config/schema/types.generated.js';
import type { Calls } from './calls/calls.js';
import type { WhyReport } from './calls/recent-calls.js';
import type { MediaStats } from './calls/record.js';
import type { CallQuality, CallsQuery, CallsView, CallView, EndedView } from './console/api/calls.js';
import type { ConsoleLanguage } from './console/api/people.js';
import type { AuditEvent, AuditView } from './console/api/site.js';
import type { Explanation } from './policy/explain.js';
import { type CallId, callId } from './policy/ids.js';
import { judgementsOf } from './site-hours.js';
import { factWordsOf, type WhyBook } from './site-why.js';
import type { History, HistoryEvent, HistoryRow } from './store/history.js';

/** How far beside a call's own event in the chain the order that cut it is looked for. */
const NEAR = 200;

interface Envelope {
  readonly time: string;
  readonly type: string;
  readonly hash: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const instantOf = (ms: number): string => Temporal.Instant.fromEpochMilliseconds(ms).toString();
const msOf = (instant: string | undefined): number | undefined =>
  instant === undefined ? undefined : Temporal.Instant.from(instant).epochMilliseconds;
const secondsOf = (ms: number): number => Math.round(ms / 1_000);

function reportOf({ body }: HistoryRow): CallEndedData | undefined {
  return body === null ? undefined : ((JSON.parse(body) as Envelope).data as unknown as CallEndedData);
}

/** An ended call as lists show it. */
export function endedView(row: HistoryRow): EndedView {
  const { rule, fact } = reportOf(row) ?? {};
  return {
    call: row.call,
    handset: row.handset,
    at: instantOf(row.endedMs),
    cause: row.cause,
    talkS: secondsOf(row.talkMs),
    requestedAt: instantOf(row.startedMs),
    attempted: row.attempted === 1,
    ...(rule === undefined ? {} : { rule }),
    ...(fact === undefined ? {} : { fact }),
  };
}

/** How a call that is up sounds, and who listens to it. */
export interface CallEars {
  readonly measure?: (call: CallId) => Promise<MediaStats | undefined>;
  readonly listeners?: (call: CallId) => readonly string[];
}

/** What was, as the console shows it: from the ledger, the audit chain and the last calls in memory. */
export class SiteHistory {
  constructor(
    private readonly history: History,
    private readonly calls: Pick<Calls, 'why'>,
    private readonly whys: WhyBook,
    /** The wing of a handset of this site: a refused call's report has none. */
    private readonly wingOf: (handset: string) => string | undefined,
    private readonly ears: CallEars = {},
  ) {}

  /** One more than is asked for is read, so that the answer knows whether there are older ones. */
  list({ handset, outcome, from, to, before, limit }: CallsQuery & { readonly limit: number }): CallsView {
    const fromMs = msOf(from);
    const toMs = msOf(to);
    const rows = this.history.calls({
      limit: limit + 1,
      ...(handset === undefined ? {} : { handset }),
      ...(outcome === undefined ? {} : { outcome }),
      ...(fromMs === undefined ? {} : { fromMs }),
      ...(toMs === undefined ? {} : { toMs }),
      ...(before === undefined ? {} : { before: Number(before) }),
    });
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const isMore = rows.length > limit && last !== undefined;
    return { calls: shown.map((row) => this.#ended(row)), ...(isMore ? { before: String(last.id) } : {}) };
  }

  /** A call that is up, or that ended; undefined when neither memory nor disk has it. */
  async call(id: string, language: ConsoleLanguage): Promise<CallView | undefined> {
    const call = callId(id);
    const isUp = this.calls.why(call)?.cause === undefined;
    const stats = isUp ? await this.ears.measure?.(call) : undefined;
    const live = this.calls.why(call);
    const row = this.history.call(id);
    if (live === undefined && row === undefined) return undefined;
    const listeners = this.ears.listeners?.(call) ?? [];
    const said = this.whys.of(id);
    const handset = live?.handset ?? row?.handset ?? '';
    const wing = this.wingOf(handset);
    return {
      call: id,
      handset,
      ...(wing === undefined ? {} : { wing }),
      state: live?.state ?? 'ended',
      ...(live === undefined ? {} : liveParts(live)),
      ...(stats === undefined ? {} : { quality: qualityOf(stats) }),
      ...(listeners.length === 0 ? {} : { listeners }),
      ...(row === undefined ? {} : this.#rowParts(row)),
      ...(said === undefined ? {} : whyOf(said, language)),
    };
  }

  audit(before: number | undefined, limit: number): AuditView {
    const events = this.history.events(before, limit + 1);
    const shown = events.slice(0, limit).map(auditEvent);
    const last = shown.at(-1);
    return { events: shown, ...(events.length > limit && last !== undefined ? { before: last.sequence } : {}) };
  }

  #ended(row: HistoryRow): EndedView {
    const view = endedView(row);
    return row.cause === 'refused' ? { ...view, ...factWordsOf(this.whys.of(row.call)) } : view;
  }

  #rowParts(row: HistoryRow): Partial<CallView> {
    const report = reportOf(row);
    const { wing, person, trunk, answeredAt, rule, fact, nextAllowed, sipStatus, deadline, endsBy } = report ?? {};
    const { cutoffErrorMs, planes, media } = report ?? {};
    const order = row.cause === 'cutoff' && row.event !== null ? this.#orderBehind(row, row.event, wing) : undefined;
    return defined({
      wing,
      person,
      trunk,
      requestedAt: instantOf(row.startedMs),
      answeredAt,
      endedAt: instantOf(row.endedMs),
      talkS: secondsOf(row.talkMs),
      cause: row.cause,
      rule,
      fact,
      nextAllowed,
      sipStatus,
      deadline: deadline?.wall,
      endsBy,
      cutoffErrorMs,
      planes: planes as CallView['planes'],
      quality: media === undefined ? undefined : qualityOf(media as MediaStats),
      cutBy: order,
    });
  }

  /** The cutoff that ended a call: reported close to the call itself, and aimed at it. */
  #orderBehind({ handset, call, endedMs }: HistoryRow, sequence: number, wing: string | undefined): CallView['cutBy'] {
    const isAimed = (target: Readonly<Record<string, unknown>>): boolean =>
      target.kind === 'site' ||
      target.handset === handset ||
      target.call === call ||
      (target.kind === 'wing' && target.wing === wing);
    const distanceMs = ({ time }: Envelope): number =>
      Math.abs(Temporal.Instant.from(time).epochMilliseconds - endedMs);
    const found = this.history
      .eventsBetween(sequence - NEAR, sequence + NEAR)
      .map(envelopeOf)
      .filter(({ type, data }) => type === 'balise.cutoff.done' && isAimed(data.target as Record<string, unknown>))
      .sort((a, b) => distanceMs(a) - distanceMs(b))[0];
    if (found === undefined) return undefined;
    return { by: String(found.data.by), reason: String(found.data.reason), at: found.time };
  }
}

/** Every rule, and the fact that decided, in a language. */
function whyOf(judged: Explanation['judged'], language: ConsoleLanguage): Pick<CallView, 'why' | 'fact'> {
  const why = judgementsOf(judged, language);
  const fact = why.find(({ verdict }) => verdict === 'refuses')?.words[0];
  return { why, ...(fact === undefined ? {} : { fact }) };
}

function liveParts(said: WhyReport): Partial<CallView> {
  const { requestedAt, granted, deadline, endsBy, cause, rule, fact, nextAllowed, planes, steps } = said;
  return defined({
    requestedAt,
    deadline,
    endsBy,
    cause,
    rule,
    fact,
    nextAllowed,
    planes: planes as CallView['planes'],
    granted:
      granted === undefined
        ? undefined
        : {
            notAfter: granted.notAfter,
            notAfterBy: granted.notAfterBy,
            maxTalkS: Math.floor(granted.maxTalkMs / 1_000),
            maxTalkBy: granted.maxTalkBy,
            calleeZones: granted.calleeZones,
          },
    steps: steps.map(({ ms, event, state }) => ({ atMs: Math.round(ms), what: event, state })),
  });
}

function qualityOf(media: MediaStats): CallQuality {
  const { handsetPackets, trunkPackets, dropped, droppedAfterDeadline, lost, jitterMs, handset, trunk } = media;
  return {
    handsetPackets,
    trunkPackets,
    dropped,
    droppedAfterDeadline,
    lost,
    jitterMs,
    ...(handset === undefined ? {} : { handset }),
    ...(trunk === undefined ? {} : { trunk }),
  };
}

function envelopeOf({ body }: HistoryEvent): Envelope {
  return JSON.parse(body) as Envelope;
}

function auditEvent(event: HistoryEvent): AuditEvent {
  const { time, type, data, hash } = envelopeOf(event);
  return { sequence: event.sequence, at: time, type, data: withoutToken(data), hash };
}

/** What stands for a called number is headquarters' alone, too: it would tell that two calls went to one number. */
function withoutToken(data: Envelope['data']): Envelope['data'] {
  const { numberToken: _, ...rest } = data;
  return rest;
}

/** Only what is there: a part that is not known is absent, and never null. */
function defined(parts: { readonly [K in keyof CallView]?: CallView[K] | undefined }): Partial<CallView> {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as Partial<CallView>;
}
