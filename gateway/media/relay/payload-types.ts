import type { StreamFormats } from '../control-protocol.js';
import { LAWS, type LawTables } from './g711.js';

/** What a payload type is to one stream. */
export const REFUSED = 0;
export const VOICE = 1;
export const EVENT = 2;

/** The negotiated payload types of one direction as a table of 128, so that a packet costs one look. */
export class PayloadTypes {
  readonly #kinds = new Uint8Array(128);
  readonly #laws: (LawTables | undefined)[] = new Array(128).fill(undefined);
  /** What packets of our own are made of; absent when no voice was negotiated. */
  readonly first: { readonly payloadType: number; readonly law: LawTables } | undefined;

  constructor(formats: StreamFormats) {
    for (const { codec, payloadType } of formats.voice) {
      this.#kinds[payloadType] = VOICE;
      this.#laws[payloadType] = LAWS[codec];
    }
    if (formats.events !== undefined) this.#kinds[formats.events] = EVENT;
    const [voice] = formats.voice;
    this.first = voice && { payloadType: voice.payloadType, law: LAWS[voice.codec] };
  }

  kind(payloadType: number): number {
    return this.#kinds[payloadType] as number;
  }

  law(payloadType: number): LawTables | undefined {
    return this.#laws[payloadType];
  }
}
