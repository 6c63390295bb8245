/** Payload types as SDP states them (RFC 4566 §6, RFC 3551 §6), and which codecs of theirs we let pass. */
import { type MediaDescription, parsePayloads } from 'sdp-transform';
import type { VoiceCodec, VoiceFormat } from './control-protocol.js';

interface CodecFacts {
  readonly name: string;
  readonly rate: number;
  readonly channels?: number;
  /** The payload type that means this codec and no other, whatever a map says. */
  readonly staticType?: number;
}

const CODECS: Readonly<Record<VoiceCodec, CodecFacts>> = {
  pcma: { name: 'PCMA', rate: 8_000, staticType: 8 },
  pcmu: { name: 'PCMU', rate: 8_000, staticType: 0 },
  // 8000 is an error of long ago that all keep to (RFC 3551 §4.5.2).
  g722: { name: 'G722', rate: 8_000, staticType: 9 },
  opus: { name: 'opus', rate: 48_000, channels: 2 },
};
const NAMES = Object.keys(CODECS) as readonly VoiceCodec[];

/** The codecs that the relay can listen to, so that no key can be hidden in them. */
export const HEARD_CODECS: readonly VoiceCodec[] = ['pcma', 'pcmu'];

const EVENT_RATE = 8_000;
/** Of Opus's parameters (RFC 7587 §6.1) those that are plain numbers and say nothing of who sends them. */
const OPUS_PARAMETERS = ['minptime', 'maxaveragebitrate', 'stereo', 'cbr', 'useinbandfec', 'usedtx'];

export interface Formats {
  readonly voice: readonly VoiceFormat[];
  /** The payload type of RFC 4733 events at 8 kHz. */
  readonly events?: number;
  /** What was said of Opus, its numbers alone. */
  readonly opusParameters?: string;
}

/** The payload types of an m-line in their order of preference, one for each codec of `allowed`. */
export function readFormats(media: MediaDescription, allowed: readonly VoiceCodec[]): Formats {
  const voice: VoiceFormat[] = [];
  let events: number | undefined;
  for (const payloadType of parsePayloads(String(media.payloads ?? ''))) {
    if (!Number.isInteger(payloadType) || payloadType < 0 || payloadType > 127) continue;
    const map = media.rtp.find(({ payload }) => payload === payloadType);
    if (map !== undefined && String(map.codec).toLowerCase() === 'telephone-event') {
      // A static number of a voice codec means that codec, whatever the map says.
      if (payloadType >= 96 && (map.rate ?? EVENT_RATE) === EVENT_RATE) events ??= payloadType;
      continue;
    }
    const codec = map === undefined ? staticCodec(payloadType) : mappedCodec(payloadType, map);
    if (codec !== undefined && allowed.includes(codec) && !voice.some((known) => known.codec === codec))
      voice.push({ codec, payloadType });
  }
  if (voice.some(({ payloadType }) => payloadType === events)) events = undefined;
  const opusParameters = opusParametersOf(media, voice);
  return { voice, ...(events === undefined ? {} : { events }), ...(opusParameters && { opusParameters }) };
}

/** The lines of an m-section of ours that name these payload types. */
export function writeFormats({
  voice,
  events,
  opusParameters,
}: Formats): Pick<MediaDescription, 'rtp' | 'fmtp' | 'payloads'> {
  const rtp = voice.map(({ codec, payloadType }) => {
    const { name, rate, channels } = CODECS[codec];
    return { payload: payloadType, codec: name, rate, ...(channels === undefined ? {} : { encoding: channels }) };
  });
  const opus = voice.find(({ codec }) => codec === 'opus');
  const fmtp =
    opus !== undefined && opusParameters !== undefined ? [{ payload: opus.payloadType, config: opusParameters }] : [];
  if (events !== undefined) {
    rtp.push({ payload: events, codec: 'telephone-event', rate: EVENT_RATE });
    fmtp.push({ payload: events, config: '0-15' });
  }
  return { rtp, fmtp, payloads: rtp.map(({ payload }) => payload).join(' ') };
}

const staticCodec = (payloadType: number): VoiceCodec | undefined =>
  NAMES.find((codec) => CODECS[codec].staticType === payloadType);

function mappedCodec(payloadType: number, map: MediaDescription['rtp'][number]): VoiceCodec | undefined {
  const codec = NAMES.find((known) => CODECS[known].name.toLowerCase() === String(map.codec).toLowerCase());
  if (codec === undefined || (map.rate ?? EVENT_RATE) !== CODECS[codec].rate) return undefined;
  const meant = staticCodec(payloadType);
  return meant === undefined || meant === codec ? codec : undefined;
}

function opusParametersOf(media: MediaDescription, voice: readonly VoiceFormat[]): string | undefined {
  const opus = voice.find(({ codec }) => codec === 'opus');
  const said = media.fmtp.find(({ payload }) => payload === opus?.payloadType)?.config;
  if (opus === undefined || said === undefined) return undefined;
  const kept = said
    .split(';')
    .map((part) => part.trim().split('='))
    .filter(([name = '', value = '']) => OPUS_PARAMETERS.includes(name) && /^\d{1,6}$/.test(value))
    .map(([name, value]) => `${name}=${Number(value)}`);
  return kept.length === 0 ? undefined : kept.join(';');
}
