/**
 * What the gateway and the relay's process say to one another: one JSON object a line, over a UNIX socket.
 * The gateway gives orders, each with an id; the relay answers each with that id, and tells events by itself. Both import
 * this file and nothing else of one another.
 */

export const PROTOCOL_VERSION = 1;
/** The gateway beats this often, and the relay answers each beat. */
export const BEAT_MS = 500;
/** No beat for this long, in either direction, is loss of contact. */
export const CONTACT_MS = 2_000;
/** A line longer than this is a fault of the peer, not a message. */
export const MAX_LINE = 64 * 1024;

/** G.711 of either law (RFC 3551 §4.5.14), which the relay can listen to and mix; G.722 (§4.5.2) and Opus (RFC 7587), which it only passes. */
export type VoiceCodec = 'pcma' | 'pcmu' | 'g722' | 'opus';

/** One voice payload type that may pass. */
export interface VoiceFormat {
  readonly codec: VoiceCodec;
  readonly payloadType: number;
}

/** What may pass in one direction; everything else is dropped. */
export interface StreamFormats {
  readonly voice: readonly VoiceFormat[];
  /** The payload type of RFC 4733 events; absent when none were negotiated. */
  readonly events?: number;
  /** The receiver negotiated events too; without it they are taken from the sender and dropped here. */
  readonly eventsPass: boolean;
}

/**
 * Where a peer's SDP says that it sends from and receives at. `rtcpPort` 0: it takes no RTCP; the same as `port`: RTP and
 * RTCP share one port (RFC 5761).
 */
export interface PeerAddress {
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  /** CIDR networks from which the first packets may come instead, for 2 s from the answer. */
  readonly networks: readonly string[];
}

/** What is said in words in a call: names of recorded pieces in one language. */
export interface Speech {
  readonly language: string;
  readonly calleeLanguage: string;
  /** Pieces in place of the tone, by the seconds of the warning. */
  readonly warnings: Readonly<Record<string, readonly string[]>>;
  /** The warnings sound to the trunk as well. */
  readonly warnTrunk: boolean;
  /** Said to the handset so that its last word falls on the deadline; [] for nothing. */
  readonly closing: readonly string[];
  /** Said to the trunk at the answer, while the handset is not heard; [] for nothing. */
  readonly announcement: readonly string[];
}

/** What is measured of the stream that one side sends, from the answer on. */
export interface SideQuality {
  readonly packets: number;
  readonly lost: number;
  /** Interarrival jitter, milliseconds (RFC 3550 §6.4.1). */
  readonly jitterMs: number;
  /** Since its last packet, milliseconds; 0 while it is held. */
  readonly silentMs: number;
  readonly longestSilenceMs: number;
  /** From us to that side and back, milliseconds; absent when it sent no report that tells. */
  readonly roundTripMs?: number;
}

/** An order without its id, as callers state it. */
export type OrderBody =
  | { readonly do: 'hello'; readonly version: number }
  | {
      readonly do: 'open';
      readonly call: string;
      readonly handset: PeerAddress;
      readonly earlyMedia: boolean;
      /** The digits a handset may send to the trunk, of 0-9 * # A-D. */
      readonly digitsAllowed: string;
      /** How many of them; default: any number. */
      readonly digitsMost?: number;
      /** Each key that the handset sends as an event is told, and none is refused aloud. Default: no. */
      readonly keys?: boolean;
      /** Keys that sound in G.711 speech are listened for, and muted unless they may pass. Default: no. */
      readonly digitsInSpeech?: boolean;
    }
  | {
      readonly do: 'connect';
      readonly call: string;
      readonly trunk: PeerAddress;
      readonly toTrunk: StreamFormats;
      readonly toHandset: StreamFormats;
    }
  | {
      readonly do: 'arm';
      readonly call: string;
      /** The deadline: CLOCK_MONOTONIC nanoseconds, decimal. */
      readonly atNs: string;
      /** Seconds before the deadline at which a tone is sounded to the handset. */
      readonly warningsS: readonly number[];
      readonly speech?: Speech;
      /** A side that sends nothing for so long, and is not on hold, is told of, once. Default: never. */
      readonly silenceMs?: number;
    }
  /** Speaks to the handset of a call that has no trunk. Answered by `playing`; `played` is told at its end. */
  | {
      readonly do: 'announce';
      readonly call: string;
      readonly toHandset: StreamFormats;
      readonly language: string;
      readonly pieces: readonly string[];
    }
  /** Rings back to the handset of a call that has no trunk yet, until it gets one. */
  | { readonly do: 'ring'; readonly call: string; readonly toHandset: StreamFormats }
  /** Sends the handset its own speech back until then, or for a minute if that is sooner: a call that has no trunk and gets none. */
  | { readonly do: 'echo'; readonly call: string; readonly formats: StreamFormats; readonly atNs: string }
  /**
   * Keeps a handset company that nobody else speaks to: its keys are heard and nothing is forwarded. A second time, after it has
   * been elsewhere, its source is learnt anew. To be armed like any call.
   */
  | { readonly do: 'attend'; readonly call: string; readonly formats: StreamFormats }
  /** Speaks to an attended handset, in place of what is being said; then rings back until told otherwise, where `ring` says so. */
  | {
      readonly do: 'say';
      readonly call: string;
      readonly language: string;
      readonly pieces: readonly string[];
      readonly ring: boolean;
    }
  /** Ends what is being said to an attended handset. */
  | { readonly do: 'hush'; readonly call: string }
  /** A key that the handset sent in signalling, one of 0-9 * # A-D: to the trunk as an event, if it may pass. */
  | { readonly do: 'key'; readonly call: string; readonly key: string }
  /** A sound of the site's own, G.711 A-law of 8 kHz in base64: what is `first` replaces what was known, the rest follows on it. */
  | {
      readonly do: 'learn';
      readonly language: string;
      readonly piece: string;
      readonly sound: string;
      readonly first: boolean;
    }
  /** Copies of both streams, as RTP to ports of this machine, until the call ends or it is told again without `to`. */
  | {
      readonly do: 'tap';
      readonly call: string;
      /** Several taps of a call are told apart by this. */
      readonly tap: string;
      readonly to?: { readonly address: string; readonly handsetPort: number; readonly trunkPort: number };
    }
  /** What the call carries so far. */
  | { readonly do: 'measure'; readonly call: string }
  /** Who may speak after a re-INVITE: a stream that is held is dropped until it is resumed. It opens no gate. */
  | { readonly do: 'hold'; readonly call: string; readonly toTrunk: boolean; readonly toHandset: boolean }
  | { readonly do: 'close'; readonly call: string }
  | { readonly do: 'status' }
  /** Takes no more calls, and ends the process when the last one is closed. */
  | { readonly do: 'retire' };

export type Order = OrderBody & { readonly id: number };

/** A beat has no id and is answered by a beat. */
export interface Beat {
  readonly do: 'beat';
}

/** What a call carried, counted by the relay; the same fields as the call record's. */
export interface CallCounters {
  /** Packets forwarded from the handset to the trunk. */
  readonly handsetPackets: number;
  /** Packets forwarded from the trunk to the handset. */
  readonly trunkPackets: number;
  /** Packets refused for their source, form, digits or a closed gate. */
  readonly dropped: number;
  readonly droppedAfterDeadline: number;
  /** Packets that both streams' sequence numbers promise and that never came (RFC 3550 §6.4.1). */
  readonly lost: number;
  readonly jitterMs: number;
  /** Keyed digits (not packets) kept from the trunk. */
  readonly digitsDropped: number;
  /** Of these, the ones that sounded in the speech. */
  readonly digitsMuted: number;
  readonly digitsPassed: number;
  /** The streams of the handset and of the trunk. */
  readonly handset: SideQuality;
  readonly trunk: SideQuality;
  /** Of one packet in 50, those that the system would not take: no route, no room. */
  readonly socketErrors: number;
  readonly lastForwardedMsAfterDeadline?: number;
}

/** Why an order failed; stable codes. */
export type FailureCode =
  | 'media.bad-order'
  | 'media.call-exists'
  | 'media.call-unknown'
  | 'media.call-closed'
  | 'media.ports-exhausted'
  | 'media.socket'
  | 'media.bad-address'
  | 'media.no-prompt'
  | 'media.retiring';

export type Answer =
  | { readonly event: 'hello'; readonly id: number; readonly version: number; readonly pid: number }
  | {
      readonly event: 'opened';
      readonly id: number;
      readonly call: string;
      /** RTP ports of ours, both even; RTCP is the next odd one. */
      readonly handsetSide: { readonly address: string; readonly port: number };
      readonly trunkSide: { readonly address: string; readonly port: number };
    }
  | { readonly event: 'connected'; readonly id: number; readonly call: string }
  | { readonly event: 'armed'; readonly id: number; readonly call: string }
  | { readonly event: 'playing'; readonly id: number; readonly call: string; readonly lengthMs: number }
  | { readonly event: 'ringing'; readonly id: number; readonly call: string }
  | { readonly event: 'echoing'; readonly id: number; readonly call: string }
  | { readonly event: 'attending'; readonly id: number; readonly call: string }
  | { readonly event: 'saying'; readonly id: number; readonly call: string; readonly lengthMs: number }
  | { readonly event: 'hushed'; readonly id: number; readonly call: string }
  | { readonly event: 'keyed'; readonly id: number; readonly call: string; readonly passed: boolean }
  | { readonly event: 'learnt'; readonly id: number }
  | { readonly event: 'tapped'; readonly id: number; readonly call: string }
  | { readonly event: 'measured'; readonly id: number; readonly call: string; readonly counters: CallCounters }
  | { readonly event: 'held'; readonly id: number; readonly call: string }
  /** `counters` is absent when no such call was held. */
  | { readonly event: 'closed'; readonly id: number; readonly call: string; readonly counters?: CallCounters }
  | {
      readonly event: 'status';
      readonly id: number;
      readonly calls: readonly string[];
      readonly retiring: boolean;
    }
  | { readonly event: 'retiring'; readonly id: number; readonly calls: number }
  | { readonly event: 'failed'; readonly id: number; readonly code: FailureCode; readonly why: string };

/** What the relay tells unasked. */
export type Notice =
  | { readonly event: 'beat' }
  | { readonly event: 'played'; readonly call: string }
  /** A digit that may not pass was kept from the trunk; told of the first of each kind in a call. */
  | { readonly event: 'digit'; readonly call: string; readonly kind: 'event' | 'in-speech' | 'in-info' }
  /** A key of a call that was opened with `keys`; one of 0-9 * # A-D. */
  | { readonly event: 'key'; readonly call: string; readonly key: string }
  | { readonly event: 'silence'; readonly call: string; readonly side: 'handset' | 'trunk'; readonly silentMs: number }
  | {
      readonly event: 'deadline';
      readonly call: string;
      /** From the deadline until the relay noticed it. The streams were silent from the deadline itself. */
      readonly lateMs: number;
      /** The last packet forwarded, against the deadline: negative. Absent when none was. */
      readonly lastForwardedMs?: number;
    };

export type RelaySays = Answer | Notice;

/** Splits a byte stream into lines; `feed` throws RangeError on a line longer than MAX_LINE. */
export class LineSplitter {
  #rest = '';

  feed(chunk: string): string[] {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MAX_LINE) throw new RangeError(`a line longer than ${MAX_LINE} characters`);
    return lines;
  }
}

/** One line of JSON as an object; undefined when it is none. */
export function parseLine(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
