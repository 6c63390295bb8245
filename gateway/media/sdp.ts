/**
 * The one place of SDP (RFC 4566): what each side said is read into values, and what we say is written from values alone, so
 * that no line of one side can reach the other. Offer and answer follow RFC 3264: G.711 and RFC 4733 events, nothing else.
 */
import { isIPv4 } from 'node:net';
import { type MediaDescription, parse, parsePayloads, type SessionDescription, write } from 'sdp-transform';
import type { StreamFormats, VoiceCodec, VoiceFormat } from './control-protocol.js';

export type SdpFaultCode = 'media.no-codec' | 'media.bad-sdp' | 'media.bad-address';

/** An SDP that cannot be used; `media.no-codec` is a 488, the others a 400. */
export interface SdpFault {
  readonly fault: SdpFaultCode;
  readonly why: string;
}

type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What one side said of its audio. */
export interface AudioDescription {
  readonly address: string;
  readonly port: number;
  /** 0: it takes no RTCP. */
  readonly rtcpPort: number;
  readonly voice: readonly VoiceFormat[];
  /** The payload type of RFC 4733 events at 8 kHz. */
  readonly events?: number;
  /** Milliseconds a packet. */
  readonly ptime?: number;
  readonly direction: Direction;
}

/** An m-line of the handset's, as its answer must repeat it. */
interface MediaLine {
  readonly type: string;
  readonly protocol: string;
  readonly payloads: string;
}

export interface HandsetOffer extends AudioDescription {
  readonly lines: readonly MediaLine[];
  /** Which of `lines` is the audio that we take. */
  readonly audioLine: number;
}

/** Where we receive, and the number of our session (RFC 4566 §5.2). */
export interface OurEnd {
  readonly address: string;
  readonly port: number;
  readonly sessionId: number;
}

const MAX_SDP = 16_384;
const MAX_LINES = 16;
const STATIC_TYPES: Readonly<Record<number, VoiceCodec>> = { 0: 'pcmu', 8: 'pcma' };
const CODEC_NAMES: Readonly<Record<VoiceCodec, string>> = { pcma: 'PCMA', pcmu: 'PCMU' };
const PTIMES = [10, 20, 30, 40, 60];
const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
const OUR_NAME = 'balise';

/** Reads the handset's offer: the first audio line with a codec of ours. */
export function readOffer(sdp: string): HandsetOffer | SdpFault {
  const session = parseSafely(sdp);
  if ('fault' in session) return session;
  const lines = session.media.map(mediaLine);
  let fault: SdpFault = { fault: 'media.no-codec', why: 'no audio line' };
  for (const [audioLine, media] of session.media.entries()) {
    if (media.type !== 'audio') continue;
    const audio = readAudio(session, media);
    if (!('fault' in audio)) return { ...audio, lines, audioLine };
    fault = audio;
  }
  return fault;
}

/** Our own offer to the trunk: the handset's codecs, our address, nothing else of the handset. */
export function writeTrunkOffer(offer: HandsetOffer, our: OurEnd): string {
  return write(ourSession(our, [ourAudio(our, offer.voice, offer.events, offer.ptime, offer.direction)]));
}

/** Reads the trunk's answer to our offer: it must take one voice codec that we offered, on its first line. */
export function readTrunkAnswer(sdp: string, offer: HandsetOffer): AudioDescription | SdpFault {
  const session = parseSafely(sdp);
  if ('fault' in session) return session;
  const [media] = session.media;
  if (media?.type !== 'audio') return { fault: 'media.bad-sdp', why: 'the first line of the answer is no audio' };
  const audio = readAudio(session, media);
  if ('fault' in audio) return audio;
  const voice = audio.voice.filter(({ codec }) => offer.voice.some((offered) => offered.codec === codec));
  if (voice.length === 0) return { fault: 'media.no-codec', why: 'the answer takes no codec that was offered' };
  const { events, ...rest } = audio;
  return { ...rest, voice, ...(events !== undefined && offer.events !== undefined ? { events } : {}) };
}

/** Our own answer to the handset: the trunk's choice at our address, and every other line of the offer refused (RFC 3264 §6). */
export function writeHandsetAnswer(offer: HandsetOffer, answer: AudioDescription, our: OurEnd): string {
  const audio = ourAudio(our, answer.voice, eventsForHandset(offer, answer), answer.ptime, answer.direction);
  const media = offer.lines.map((line, at) =>
    at === offer.audioLine ? audio : { ...line, port: 0, rtp: [], fmtp: [] },
  );
  return write(ourSession(our, media));
}

/** What may pass each way once offer and answer are known. */
export function streamFormats(
  offer: HandsetOffer,
  answer: AudioDescription,
): { toTrunk: StreamFormats; toHandset: StreamFormats } {
  const toTrunkEvents = eventsForHandset(offer, answer);
  const taken = answer.voice.map(({ codec }) => codec);
  return {
    toTrunk: {
      voice: answer.voice,
      ...(toTrunkEvents === undefined ? {} : { events: toTrunkEvents }),
      eventsPass: answer.events !== undefined,
    },
    toHandset: {
      voice: offer.voice.filter(({ codec }) => taken.includes(codec)),
      ...(offer.events === undefined ? {} : { events: offer.events }),
      eventsPass: true,
    },
  };
}

/**
 * A handset that offered events is always granted them, whatever the trunk said: without them it would send its keys as
 * tones in the speech, where they cannot be told from a voice. The relay takes them and drops them.
 */
function eventsForHandset(offer: HandsetOffer, answer: AudioDescription): number | undefined {
  if (offer.events === undefined) return undefined;
  const taken = answer.voice.map(({ payloadType }) => payloadType);
  if (answer.events !== undefined) return answer.events;
  return taken.includes(offer.events) ? undefined : offer.events;
}

function parseSafely(sdp: string): SessionDescription | SdpFault {
  const bad = (why: string): SdpFault => ({ fault: 'media.bad-sdp', why });
  if (sdp.length > MAX_SDP) return bad(`longer than ${MAX_SDP} characters`);
  if (!/^v=0\r?\n/.test(sdp)) return bad('does not begin with v=0');
  let session: SessionDescription;
  try {
    session = parse(sdp);
  } catch (error) {
    return bad(`cannot be parsed: ${String(error)}`);
  }
  if (session.media.length === 0 || session.media.length > MAX_LINES) return bad('has no m-line, or too many');
  return session;
}

function readAudio(session: SessionDescription, media: MediaDescription): AudioDescription | SdpFault {
  // Secured profiles would need keys from us; a plain one is asked for, or the call is refused.
  if (media.protocol !== 'RTP/AVP') return { fault: 'media.no-codec', why: 'the profile is not RTP/AVP' };
  if (media.port === 0) return { fault: 'media.no-codec', why: 'the audio line is refused' };
  const address = (media.connection ?? session.connection)?.ip;
  if (typeof address !== 'string' || !isUnicast(address))
    return { fault: 'media.bad-address', why: 'no unicast IPv4 address in its c= line' };
  if (!isPort(media.port)) return { fault: 'media.bad-address', why: 'no port in its m= line' };
  const formats = readFormats(media);
  if (formats.voice.length === 0) return { fault: 'media.no-codec', why: 'no G.711 among its codecs' };
  const ptime = PTIMES.includes(Number(media.ptime)) ? { ptime: Number(media.ptime) } : {};
  const direction = DIRECTIONS.find((it) => it === (media.direction ?? session.direction)) ?? 'sendrecv';
  return { address, port: media.port, rtcpPort: rtcpPort(media), ...formats, ...ptime, direction };
}

/** The payload types of the m-line in their order of preference, one for each codec that we know. */
function readFormats(media: MediaDescription): { voice: VoiceFormat[]; events?: number } {
  const voice: VoiceFormat[] = [];
  let events: number | undefined;
  for (const payloadType of parsePayloads(String(media.payloads ?? ''))) {
    if (!Number.isInteger(payloadType) || payloadType < 0 || payloadType > 127) continue;
    const map = media.rtp.find(({ payload }) => payload === payloadType);
    const name = String(map?.codec ?? '').toLowerCase();
    if (map !== undefined && (map.rate ?? 8_000) !== 8_000) continue;
    if (name === 'telephone-event') {
      // A static number of a voice codec means that codec, whatever the map says.
      if (payloadType >= 96) events ??= payloadType;
      continue;
    }
    const codec = map === undefined ? STATIC_TYPES[payloadType] : name === 'pcma' || name === 'pcmu' ? name : undefined;
    const isFree = (STATIC_TYPES[payloadType] ?? codec) === codec;
    if (codec !== undefined && isFree && !voice.some((known) => known.codec === codec))
      voice.push({ codec, payloadType });
  }
  if (voice.some(({ payloadType }) => payloadType === events)) events = undefined;
  return { voice, ...(events === undefined ? {} : { events }) };
}

function rtcpPort(media: MediaDescription): number {
  const said = media.rtcp?.port;
  if (said !== undefined && isPort(said)) return said;
  return media.port < 65_535 ? media.port + 1 : 0;
}

/** The line in a form that is safe to repeat to the handset that wrote it. */
function mediaLine(media: MediaDescription): MediaLine {
  const type = /^[a-z]{1,16}$/i.test(media.type ?? '') ? media.type : 'application';
  const protocol = /^[A-Z0-9/]{1,32}$/i.test(media.protocol ?? '') ? media.protocol : 'RTP/AVP';
  const payloads = String(media.payloads ?? '');
  return { type, protocol, payloads: /^[\w.+-]+( [\w.+-]+)*$/.test(payloads) ? payloads.slice(0, 256) : '0' };
}

function ourSession({ address, sessionId }: OurEnd, media: SessionDescription['media']): SessionDescription {
  return {
    version: 0,
    origin: { username: OUR_NAME, sessionId, sessionVersion: 1, netType: 'IN', ipVer: 4, address },
    name: '-',
    connection: { version: 4, ip: address },
    timing: { start: 0, stop: 0 },
    media,
  };
}

function ourAudio(
  our: OurEnd,
  voice: readonly VoiceFormat[],
  events: number | undefined,
  ptime: number | undefined,
  direction: Direction,
): SessionDescription['media'][number] {
  const maps = voice.map(({ codec, payloadType }) => ({
    payload: payloadType,
    codec: CODEC_NAMES[codec],
    rate: 8_000,
  }));
  const eventMap = events === undefined ? [] : [{ payload: events, codec: 'telephone-event', rate: 8_000 }];
  const rtp = [...maps, ...eventMap];
  return {
    type: 'audio',
    port: our.port,
    protocol: 'RTP/AVP',
    payloads: rtp.map(({ payload }) => payload).join(' '),
    rtp,
    fmtp: events === undefined ? [] : [{ payload: events, config: '0-15' }],
    ...(ptime === undefined ? {} : { ptime }),
    direction,
  };
}

const isPort = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;

/** No name to be resolved, no 0.0.0.0, no multicast, no broadcast. */
function isUnicast(address: string): boolean {
  if (!isIPv4(address)) return false;
  const first = Number(address.split('.')[0]);
  return first > 0 && first < 224;
}
