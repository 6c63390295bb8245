/**
 * The one place of SDP (RFC 4566): what each side said is read into values, and what we say is written from values alone, so
 * that no line of one side can reach the other. Offer and answer follow RFC 3264: speech and RFC 4733 events, nothing else.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { type MediaDescription, parse, type SessionDescription, write } from 'sdp-transform';
import type { StreamFormats, VoiceCodec } from './control-protocol.js';
import { type Formats, HEARD_CODECS, readFormats, writeFormats } from './sdp-formats.js';

export type SdpFaultCode = 'media.no-codec' | 'media.bad-sdp' | 'media.bad-address';

/** An SDP that cannot be used; `media.no-codec` is a 488, the others a 400. */
export interface SdpFault {
  readonly fault: SdpFaultCode;
  readonly why: string;
}

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What one side said of its audio. */
export interface AudioDescription extends Formats {
  readonly address: string;
  readonly port: number;
  /** 0: it takes no RTCP; the same as `port`: it takes RTP and RTCP on one port (RFC 5761). */
  readonly rtcpPort: number;
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
const PTIMES = [10, 20, 30, 40, 60];
const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
const OUR_NAME = 'balise';
/** The dynamic payload types (RFC 3551 §6), the one that most say for events first. */
const EVENT_TYPES = [101, ...Array.from({ length: 32 }, (_, i) => 96 + i)];

/** Reads the handset's offer: the first audio line with one of these codecs; by default those that the relay can hear. */
export function readOffer(sdp: string, codecs: readonly VoiceCodec[] = HEARD_CODECS): HandsetOffer | SdpFault {
  const session = parseSafely(sdp);
  if ('fault' in session) return session;
  const lines = session.media.map(mediaLine);
  let fault: SdpFault = { fault: 'media.no-codec', why: 'no audio line' };
  for (const [audioLine, media] of session.media.entries()) {
    if (media.type !== 'audio') continue;
    const audio = readAudio(session, media, codecs);
    if (!('fault' in audio)) return { ...audio, lines, audioLine };
    fault = audio;
  }
  return fault;
}

/** Our own offer to the trunk: the handset's codecs, our address, nothing else of the handset. */
export function writeTrunkOffer(offer: HandsetOffer, our: OurEnd): string {
  const { ptime, direction } = offer;
  // RTCP on the port of RTP is always offered, and never because the handset does: an answer without it has two ports (RFC 5761 §5.1.1).
  return write(ourSession(our, [ourAudio(our, offer, ptime, direction, true)]));
}

/** The offer with RFC 4733 events in it, on a payload type that it does not use. */
export function withEvents(offer: HandsetOffer): HandsetOffer {
  if (offer.events !== undefined) return offer;
  const taken = offer.voice.map(({ payloadType }) => payloadType);
  return { ...offer, events: EVENT_TYPES.find((payloadType) => !taken.includes(payloadType)) ?? 101 };
}

/** Reads the trunk's answer to our offer: it must take one voice codec that we offered, on its first line. */
export function readTrunkAnswer(sdp: string, offer: HandsetOffer): AudioDescription | SdpFault {
  const session = parseSafely(sdp);
  if ('fault' in session) return session;
  const [media] = session.media;
  if (media?.type !== 'audio') return { fault: 'media.bad-sdp', why: 'the first line of the answer is no audio' };
  const offered = offer.voice.map(({ codec }) => codec);
  const audio = readAudio(session, media, offered);
  if ('fault' in audio) return audio;
  const { events, ...rest } = audio;
  return { ...rest, ...(events !== undefined && offer.events !== undefined ? { events } : {}) };
}

/** Our own answer to the handset: the trunk's choice at our address, and every other line of the offer refused (RFC 3264 §6). */
export function writeHandsetAnswer(offer: HandsetOffer, answer: AudioDescription, our: OurEnd): string {
  const { ptime, direction } = answer;
  const events = eventsForHandset(offer, answer);
  const { events: _, ...formats } = answer;
  const audio = ourAudio(
    our,
    { ...formats, ...(events === undefined ? {} : { events }) },
    ptime,
    answerTo(offer.direction, direction),
    offer.rtcpPort === offer.port,
  );
  const media = offer.lines.map((line, at) =>
    at === offer.audioLine ? audio : { ...line, port: 0, rtp: [], fmtp: [] },
  );
  return write(ourSession(our, media));
}

/**
 * The handset's answer to a prompt of ours before there is a trunk: its own codecs that we can speak, and the direction in
 * which we alone speak.
 */
export function writePromptAnswer(offer: HandsetOffer, our: OurEnd): string {
  const { events: _, ...mute } = offer;
  const { voice } = promptFormats(offer);
  return writeHandsetAnswer(mute, { ...mute, voice, direction: 'sendonly' }, our);
}

/** Our answer to a handset that is to hear itself: what it offered of speech, both ways. */
export function writeEchoAnswer(offer: HandsetOffer, our: OurEnd): string {
  const { events: _, ...voice } = offer;
  return writeHandsetAnswer(voice, { ...voice, direction: 'sendrecv' }, our);
}

/** Our answer to a handset at the desk: one codec that we speak and hear, and its events, which are its keys. */
export function writeDeskAnswer(offer: HandsetOffer, our: OurEnd): string {
  const { voice } = deskFormats(offer);
  return writeHandsetAnswer(offer, { ...offer, voice, direction: 'sendrecv' }, our);
}

/** What is spoken and heard at the desk; without voice where the handset offered nothing that we speak. */
export function deskFormats(offer: HandsetOffer): StreamFormats {
  const voice = offer.voice.filter(({ codec }) => HEARD_CODECS.includes(codec)).slice(0, 1);
  return { voice, ...(offer.events === undefined ? {} : { events: offer.events }), eventsPass: false };
}

/** What a prompt is spoken in: the handset's own codecs that we can speak, and no events. */
export function promptFormats(offer: HandsetOffer): StreamFormats {
  return { voice: offer.voice.filter(({ codec }) => HEARD_CODECS.includes(codec)), eventsPass: false };
}

/** What we say to a side that asks for `asked`, where the other side is as `other` (RFC 3264 §6.1). */
export function answerTo(asked: Direction, other: Direction): Direction {
  const sends = receives(asked) && sendsTo(other);
  const takes = sendsTo(asked) && receives(other);
  if (sends) return takes ? 'sendrecv' : 'sendonly';
  return takes ? 'recvonly' : 'inactive';
}

export const sendsTo = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'sendonly';
export const receives = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'recvonly';

/** What one side said, in our words and at its own address: for a relay that makes its own SDP of it. */
export function writePlain(audio: AudioDescription): string {
  const { address, port, rtcpPort, ptime, direction } = audio;
  const media = ourAudio({ address, port, sessionId: 1 }, audio, ptime, direction, rtcpPort === port);
  // Where RTCP is somewhere else than a reader would expect (RFC 3605).
  const rtcp = rtcpPort === 0 || rtcpPort === port || rtcpPort === port + 1 ? {} : { rtcp: { port: rtcpPort } };
  return write(ourSession({ address, port, sessionId: 1 }, [{ ...media, ...rtcp }]));
}

/** The address and the port of the first audio line of an SDP. */
export function readEnd(sdp: string, codecs: readonly VoiceCodec[]): { address: string; port: number } | SdpFault {
  const read = readOffer(sdp, codecs);
  return 'fault' in read ? read : { address: read.address, port: read.port };
}

/** What may pass each way once offer and answer are known. */
export function streamFormats(
  offer: HandsetOffer,
  answer: AudioDescription,
): { toTrunk: StreamFormats; toHandset: StreamFormats } {
  // Where the handset has none, those of our own, made of what it says in another way.
  const toTrunkEvents = eventsForHandset(offer, answer) ?? answer.events;
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

/** An SDP as sdp-transform reads it, or why it is none that we look at: too long, no SDP, without a line of media. */
export function parseSafely(sdp: string): SessionDescription | SdpFault {
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

function readAudio(
  session: SessionDescription,
  media: MediaDescription,
  codecs: readonly VoiceCodec[],
): AudioDescription | SdpFault {
  // Secured profiles would need keys from us; a plain one is asked for, or the call is refused.
  if (media.protocol !== 'RTP/AVP') return { fault: 'media.no-codec', why: 'the profile is not RTP/AVP' };
  if (media.port === 0) return { fault: 'media.no-codec', why: 'the audio line is refused' };
  const address = unicast((media.connection ?? session.connection)?.ip);
  if (address === undefined) return { fault: 'media.bad-address', why: 'no unicast IP address in its c= line' };
  if (!isPort(media.port)) return { fault: 'media.bad-address', why: 'no port in its m= line' };
  const formats = readFormats(media, codecs);
  if (formats.voice.length === 0)
    return { fault: 'media.no-codec', why: `none of ${codecs.join(', ')} is among its codecs` };
  const ptime = PTIMES.includes(Number(media.ptime)) ? { ptime: Number(media.ptime) } : {};
  const direction = DIRECTIONS.find((it) => it === (media.direction ?? session.direction)) ?? 'sendrecv';
  return { address, port: media.port, rtcpPort: rtcpPort(media), ...formats, ...ptime, direction };
}

function rtcpPort(media: MediaDescription): number {
  if (media.rtcpMux !== undefined) return media.port;
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
  const ipVer = isIPv4(address) ? 4 : 6;
  return {
    version: 0,
    origin: { username: OUR_NAME, sessionId, sessionVersion: 1, netType: 'IN', ipVer, address },
    name: '-',
    connection: { version: ipVer, ip: address },
    timing: { start: 0, stop: 0 },
    media,
  };
}

function ourAudio(
  our: OurEnd,
  formats: Formats,
  ptime: number | undefined,
  direction: Direction,
  mux: boolean,
): SessionDescription['media'][number] {
  return {
    type: 'audio',
    port: our.port,
    protocol: 'RTP/AVP',
    ...writeFormats(formats),
    ...(ptime === undefined ? {} : { ptime }),
    ...(mux ? { rtcpMux: 'rtcp-mux' } : {}),
    direction,
  };
}

const isPort = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;

/** The address as sockets name it. No name to be resolved, none that stands for many or for this machine's own choice. */
function unicast(said: unknown): string | undefined {
  if (typeof said !== 'string') return undefined;
  if (isIPv4(said)) {
    const first = Number(said.split('.')[0]);
    return first > 0 && first < 224 ? said : undefined;
  }
  // A zone (%eth0) is the sender's own, and of no use to us.
  if (!isIPv6(said) || said.includes('%')) return undefined;
  const { address } = new SocketAddress({ address: said, family: 'ipv6' });
  return address === '::' || /^(ff|::ffff:)/i.test(address) ? undefined : address;
}
