import type { MediaStats } from '../../calls/record.js';
import type { NgFields } from './ng-client.js';

/** What rtpengine's answer to `query` or `delete` tells of a call; undefined when it tells nothing. */
export function statsOf(fields: NgFields): MediaStats | undefined {
  const tags = dictionary(fields.tags);
  if (tags === undefined) return undefined;
  const handset = rtpOf(tags.handset);
  const trunk = rtpOf(tags.trunk);
  return {
    handsetPackets: number(handset, 'packets'),
    trunkPackets: number(trunk, 'packets'),
    dropped: number(handset, 'errors') + number(trunk, 'errors'),
    // The daemon knows no deadline, and measures nothing of what is below in a call without transcoding.
    droppedAfterDeadline: 0,
    lost: 0,
    jitterMs: 0,
    digitsDropped: 0,
  };
}

/** The counts of a tag's first stream, which is RTP. */
function rtpOf(tag: unknown): NgFields | undefined {
  const media = first(dictionary(tag)?.medias);
  return dictionary(dictionary(first(media?.streams))?.stats);
}

const dictionary = (value: unknown): NgFields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as NgFields) : undefined;

const first = (value: unknown): NgFields | undefined => (Array.isArray(value) ? dictionary(value[0]) : undefined);

const number = (fields: NgFields | undefined, name: string): number => Number(fields?.[name] ?? 0) || 0;
