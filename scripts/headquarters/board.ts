/** What the fleet page and the read API show, read from the database. */
import type {
  HandsetMessage,
  LineMessage,
  PresenceMessage,
  StatusMessage,
} from '../../config/schema/types.generated.js';
import type { Database, Row } from './records/database.js';

export interface HandsetView extends Partial<HandsetMessage> {
  readonly handset: string;
}

export interface GatewayView {
  readonly gateway: string;
  readonly isOnline: boolean;
  /** Nothing was heard of it for 90 s. */
  readonly isSilent: boolean;
  readonly seenMs: number;
  /** Events that exist and are not here. */
  readonly missing: number;
  readonly status?: StatusMessage;
  readonly handsets: readonly HandsetView[];
  readonly lines: readonly (Partial<LineMessage> & { readonly board: string })[];
}

export interface SiteView {
  readonly site: string;
  readonly gateways: readonly GatewayView[];
}

interface GatewayRow {
  readonly gateway: string;
  readonly seen_ms: number;
  readonly silent: number;
  readonly highest: number;
  readonly contiguous: number;
}

/** Sites with their gateways, handsets and lines; all, or one site. */
export async function fleet(db: Database, site?: string): Promise<readonly SiteView[]> {
  const like = site === undefined ? '%' : `${site.replaceAll(/[%_!]/g, '!$&')}/%`;
  const gateways = await db.all<GatewayRow>(
    `SELECT gateway, seen_ms, silent, highest, contiguous FROM gateway WHERE gateway LIKE $1 ESCAPE '!' ORDER BY gateway LIMIT 2000`,
    [like],
  );
  const states = await db.all<{ gateway: string; topic: string; body: string }>(
    "SELECT gateway, topic, body FROM state WHERE gateway LIKE $1 ESCAPE '!' ORDER BY gateway, topic",
    [like],
  );
  const said = new Map<string, Map<string, unknown>>();
  for (const { gateway, topic, body } of states) {
    const topics = said.get(gateway) ?? new Map<string, unknown>();
    topics.set(topic, JSON.parse(body));
    said.set(gateway, topics);
  }
  const sites = new Map<string, GatewayView[]>();
  for (const row of gateways) {
    const [name = ''] = row.gateway.split('/');
    const views = sites.get(name) ?? [];
    views.push(viewOf(row, said.get(row.gateway) ?? new Map()));
    sites.set(name, views);
  }
  return [...sites].map(([name, views]) => ({ site: name, gateways: views }));
}

function viewOf(row: GatewayRow, topics: ReadonlyMap<string, unknown>): GatewayView {
  const presence = topics.get('presence') as PresenceMessage | undefined;
  const status = topics.get('status') as StatusMessage | undefined;
  const below = <T>(kind: string) =>
    [...topics].flatMap(([topic, body]) =>
      topic.startsWith(`${kind}/`) ? [[topic.slice(kind.length + 1), body as T] as const] : [],
    );
  return {
    gateway: row.gateway,
    isOnline: presence?.state === 'online' && row.silent === 0,
    isSilent: row.silent === 1,
    seenMs: row.seen_ms,
    missing: row.highest - row.contiguous,
    ...(status === undefined ? {} : { status }),
    handsets: below<HandsetMessage>('handset').map(([handset, message]) => ({ handset, ...message })),
    lines: below<LineMessage>('line').map(([board, message]) => ({ board, ...message })),
  };
}

export interface AlarmView {
  readonly id: string;
  readonly gateway: string;
  readonly type: string;
  readonly at_ms: number;
  readonly message: string;
  readonly handset: string | null;
  readonly cleared_ms: number | null;
  readonly acked_ms: number | null;
  readonly acked_by: string | null;
}

/** The newest alarms; those that nobody has acknowledged, or all. */
export function alarms(db: Database, onlyOpen: boolean): Promise<readonly AlarmView[]> {
  const where = onlyOpen ? 'WHERE acked_ms IS NULL' : '';
  return db.all<AlarmView>(
    `SELECT id, gateway, type, at_ms, message, handset, cleared_ms, acked_ms, acked_by FROM alarm ${where}
     ORDER BY at_ms DESC LIMIT 200`,
  );
}

/** False when there is no such alarm or somebody was first. */
export async function acknowledgeAlarm(db: Database, id: string, by: string, nowMs: number): Promise<boolean> {
  const text = 'UPDATE alarm SET acked_ms = $2, acked_by = $3 WHERE id = $1 AND acked_ms IS NULL';
  return (await db.run(text, [id, nowMs, by])) === 1;
}

/** Calls refused since `sinceMs`, counted by rule, the most frequent first. */
export function refusals(
  db: Database,
  sinceMs: number,
): Promise<readonly { readonly rule: string; readonly count: number }[]> {
  return db.all(
    `SELECT rule, count(*) AS count FROM call WHERE requested_ms >= $1 AND rule IS NOT NULL
     GROUP BY rule ORDER BY count(*) DESC, rule LIMIT 50`,
    [sinceMs],
  );
}

/** Stands among zones for that of each call's own callee. */
export const CALLEE = 'callee';

/**
 * Calls since `sinceMs` by the hour of the day in each zone: 24 counts a zone. `CALLEE` counts each call in the zone of its
 * callee, and leaves out those that do not say it. Throws a RangeError for a zone that is none.
 */
export async function callsByHour(
  db: Database,
  sinceMs: number,
  zones: readonly string[],
): Promise<Readonly<Record<string, readonly number[]>>> {
  // Every zone's offset is a multiple of a quarter of an hour.
  const quarter = 900_000;
  const rows = await db.all<{ bucket: number; zone: string | null; count: number }>(
    `SELECT requested_ms / ${quarter} AS bucket, callee_zone AS zone, count(*) AS count FROM call
     WHERE requested_ms >= $1 AND rule IS NULL GROUP BY requested_ms / ${quarter}, callee_zone`,
    [sinceMs],
  );
  const clocks = new Map<string, Intl.DateTimeFormat>();
  const hourIn = (zone: string, ms: number): number => {
    const clock =
      clocks.get(zone) ?? new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' });
    clocks.set(zone, clock);
    return Number(clock.format(ms));
  };
  return Object.fromEntries(
    zones.map((wanted) => {
      const counts = new Array<number>(24).fill(0);
      if (wanted !== CALLEE) hourIn(wanted, 0);
      for (const { bucket, zone, count } of rows) {
        const where = wanted === CALLEE ? zone : wanted;
        if (where === null) continue;
        const at = hourIn(where, bucket * quarter);
        counts[at] = (counts[at] ?? 0) + count;
      }
      return [wanted, counts];
    }),
  );
}

const PAGE = 2_000;
const COLUMNS = [
  'gateway',
  'call',
  'handset',
  'wing',
  'person',
  'number_token',
  'requested_ms',
  'answered_ms',
  'ended_ms',
  'talk_ms',
  'cause',
  'rule',
  'callee_zone',
] as const;

/** The calls that were asked for from `fromMs` to `toMs` as CSV (RFC 4180), in pieces; instants as ISO 8601. */
export async function* callsCsv(db: Database, fromMs: number, toMs: number): AsyncGenerator<string> {
  yield `${COLUMNS.map((name) => name.replace(/_ms$/, '')).join(',')}\r\n`;
  let after: readonly [number, string, string] = [fromMs, '', ''];
  for (;;) {
    const rows = await db.all<Row>(
      `SELECT ${COLUMNS.join(', ')} FROM call
       WHERE requested_ms <= $4 AND (requested_ms > $1 OR (requested_ms = $1 AND (gateway > $2 OR (gateway = $2 AND call > $3))))
       ORDER BY requested_ms, gateway, call LIMIT ${PAGE}`,
      [...after, toMs],
    );
    yield rows.map((row) => `${COLUMNS.map((name) => field(name, row[name] ?? null)).join(',')}\r\n`).join('');
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = [Number(last.requested_ms), String(last.gateway), String(last.call)];
  }
}

function field(name: string, value: string | number | null): string {
  if (value === null) return '';
  if (name.endsWith('_ms') && name !== 'talk_ms') return new Date(Number(value)).toISOString();
  const text = String(value);
  // A sheet must not take a cell for a formula (CWE-1236).
  const safe = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The audit chain of a gateway as headquarters holds it, one event a line, in pieces: for `balise audit verify`. */
export async function* auditExport(db: Database, gateway: string): AsyncGenerator<string> {
  let after = 0;
  for (;;) {
    const rows = await db.all<{ sequence: number; body: string }>(
      `SELECT sequence, body FROM event WHERE gateway = $1 AND sequence > $2 ORDER BY sequence LIMIT ${PAGE}`,
      [gateway, after],
    );
    if (rows.length === 0) return;
    yield rows.map(({ body }) => `${body}\n`).join('');
    after = rows.at(-1)?.sequence ?? after;
  }
}
