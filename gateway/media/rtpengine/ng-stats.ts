import type { MediaStats, StreamQuality } from '../../calls/record.js';
import type { NgFields } from './ng-client.js';

/**
 * What rtpengine's answer to `query` tells of a call; undefined when it tells nothing. The daemon counts packets, and measures
 * nothing by itself: loss, jitter, round trip and opinion are what the far ends say in their RTCP of what they hear, and are
 * absent of a stream whose listener says nothing.
 */
export function statsOf(fields: NgFields): MediaStats | undefined {
  const tags = dictionary(fields.tags);
  if (tags === undefined) return undefined;
  const reports = dictionary(fields.SSRC) ?? {};
  const [atHandset, atTrunk] = [sideOf(tags.handset, reports), sideOf(tags.trunk, reports)];
  const handset = qualityOf(atHandset, atTrunk);
  const trunk = qualityOf(atTrunk, atHandset);
  return {
    handsetPackets: atHandset.packets,
    trunkPackets: atTrunk.packets,
    dropped: atHandset.errors + atTrunk.errors,
    // The daemon knows no deadline, and no digit.
    droppedAfterDeadline: 0,
    lost: (handset?.lost ?? 0) + (trunk?.lost ?? 0),
    jitterMs: trunk?.jitterMs ?? 0,
    digitsDropped: 0,
    ...(handset === undefined ? {} : { handset }),
    ...(trunk === undefined ? {} : { trunk }),
  };
}

interface Side {
  readonly packets: number;
  readonly errors: number;
  /** What this side reports of the stream that it hears. */
  readonly lost: number;
  readonly report: NgFields | undefined;
}

/** A tag's first stream, which is RTP, and what the daemon keeps under its SSRC: that side's own reports. */
function sideOf(tag: unknown, reports: NgFields): Side {
  const stream = first(dictionary(first(dictionary(tag)?.medias))?.streams);
  const stats = dictionary(stream?.stats);
  const heard = dictionary(reports[String(stream?.SSRC)]);
  return {
    packets: number(stats, 'packets'),
    errors: number(stats, 'errors'),
    lost: number(heard, 'cumulative loss'),
    report: dictionary(heard?.['average MOS']),
  };
}

/** The stream of one side, as the other side hears it. */
function qualityOf(sender: Side, listener: Side): StreamQuality | undefined {
  const { lost, report } = listener;
  if (report === undefined) return undefined;
  const legUs = number(sender.report, 'round-trip time leg');
  return {
    packets: sender.packets,
    lost,
    jitterMs: number(report, 'jitter'),
    ...(legUs === 0 ? {} : { roundTripMs: Number((legUs / 1_000).toFixed(2)) }),
    // In tenths.
    mos: Math.max(1, number(report, 'MOS') / 10),
  };
}

const dictionary = (value: unknown): NgFields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as NgFields) : undefined;

const first = (value: unknown): NgFields | undefined => (Array.isArray(value) ? dictionary(value[0]) : undefined);

const number = (fields: NgFields | undefined, name: string): number => Number(fields?.[name] ?? 0) || 0;
