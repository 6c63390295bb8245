import type { StreamFormats } from '../control-protocol.js';
import { LAWS, type LawTables } from './g711.js';

/** What a payload type is to one stream. */
export const REFUSED = 0;
export const VOICE = 1;
export const EVENT = 2;

/** 8 kHz, which G.722 keeps in its timestamps though it samples at 16 (RFC 3551 §4.5.2), and 48 kHz (RFC 7587 §4.1). */
export const UNITS_PER_MS = 8;
const OPUS_UNITS_PER_MS = 48;

/** The negotiated payload types of one direction as a table of 128, so that a packet costs one look. */
export class PayloadTypes {
  readonly #kinds = new Uint8Array(128);
  readonly #laws: (LawTables | undefined)[] = new Array(128).fill(undefined);
  readonly #unitsPerMs = new Uint8Array(128).fill(UNITS_PER_MS);
  /** What packets of our own are made of; absent when no G.711 was negotiated. */
  readonly first: { readonly payloadType: number; readonly law: LawTables } | undefined;

  constructor(formats: StreamFormats) {
    let first: typeof this.first;
    for (const { codec, payloadType } of formats.voice) {
      this.#kinds[payloadType] = VOICE;
      if (codec === 'opus') this.#unitsPerMs[payloadType] = OPUS_UNITS_PER_MS;
      if (codec !== 'pcma' && codec !== 'pcmu') continue;
      const law = LAWS[codec];
      this.#laws[payloadType] = law;
      first ??= { payloadType, law };
    }
    if (formats.events !== undefined) this.#kinds[formats.events] = EVENT;
    this.first = first;
  }

  kind(payloadType: number): number {
    return this.#kinds[payloadType] as number;
  }

  /** How many steps of its RTP clock a payload type makes in a millisecond. */
  unitsPerMs(payloadType: number): number {
    return this.#unitsPerMs[payloadType] as number;
  }

  /** Absent for what the relay passes and cannot hear. */
  law(payloadType: number): LawTables | undefined {
    return this.#laws[payloadType];
  }
}
