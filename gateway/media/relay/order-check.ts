import { isIP } from 'node:net';
import type { Beat, Order, PeerAddress, Speech, StreamFormats, VoiceCodec, VoiceFormat } from '../control-protocol.js';

/** What is wrong with an order, and its id if it had one. */
export interface OrderFault {
  readonly fault: string;
  readonly id: number;
}

type Fields = Readonly<Record<string, unknown>>;

const LANGUAGE = /^[a-z]{2,8}$/;
/** Base64 that leaves room for the rest of a line. */
const SOUND = /^[A-Za-z0-9+/]{4,49152}={0,2}$/;
const CODECS: readonly VoiceCodec[] = ['pcma', 'pcmu', 'g722', 'opus'];

class Wrong extends Error {}

/** The order that a line of JSON holds, every field checked; extra fields are ignored, so that a newer gateway can speak to an older relay. */
export function checkOrder(said: Fields): Order | Beat | OrderFault {
  if (said.do === 'beat') return { do: 'beat' };
  const id = said.id;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) return { fault: '/id is no integer', id: 0 };
  try {
    return { ...body(said), id };
  } catch (error) {
    if (error instanceof Wrong) return { fault: error.message, id };
    throw error;
  }
}

function body(said: Fields) {
  switch (said.do) {
    case 'hello':
      return { do: 'hello', version: integer(said, 'version', 0, 1_000) } as const;
    case 'open':
      return {
        do: 'open',
        call: text(said, 'call'),
        handset: peer(said, 'handset'),
        earlyMedia: flag(said, 'earlyMedia'),
        digitsAllowed: text(said, 'digitsAllowed', /^[0-9*#A-Da-d]{0,16}$/),
        ...(said.digitsMost === undefined ? {} : { digitsMost: integer(said, 'digitsMost', 0, 1_000_000) }),
        ...(said.keys === undefined ? {} : { keys: flag(said, 'keys') }),
        ...(said.digitsInSpeech === undefined ? {} : { digitsInSpeech: flag(said, 'digitsInSpeech') }),
      } as const;
    case 'connect':
      return {
        do: 'connect',
        call: text(said, 'call'),
        trunk: peer(said, 'trunk'),
        toTrunk: formats(said, 'toTrunk'),
        toHandset: formats(said, 'toHandset'),
      } as const;
    case 'arm':
      return {
        do: 'arm',
        call: text(said, 'call'),
        atNs: text(said, 'atNs', /^-?\d{1,19}$/),
        warningsS: list(said, 'warningsS').map((at) => {
          if (typeof at !== 'number' || !(at > 0)) throw new Wrong('/warningsS holds what is no number of seconds');
          return at;
        }),
        ...(said.speech === undefined ? {} : { speech: speech(said) }),
        ...(said.silenceMs === undefined ? {} : { silenceMs: integer(said, 'silenceMs', 1, 3_600_000) }),
      } as const;
    case 'announce':
      return {
        do: 'announce',
        call: text(said, 'call'),
        toHandset: formats(said, 'toHandset'),
        language: text(said, 'language', LANGUAGE),
        pieces: pieces(said, 'pieces'),
      } as const;
    case 'echo':
      return {
        do: 'echo',
        call: text(said, 'call'),
        formats: formats(said, 'formats'),
        atNs: text(said, 'atNs', /^-?\d{1,19}$/),
      } as const;
    case 'attend':
      return { do: 'attend', call: text(said, 'call'), formats: formats(said, 'formats') } as const;
    case 'say':
      return {
        do: 'say',
        call: text(said, 'call'),
        language: text(said, 'language', LANGUAGE),
        pieces: pieces(said, 'pieces'),
        ring: flag(said, 'ring'),
      } as const;
    case 'hush':
      return { do: 'hush', call: text(said, 'call') } as const;
    case 'ring':
      return { do: 'ring', call: text(said, 'call'), toHandset: formats(said, 'toHandset') } as const;
    case 'key':
      return { do: 'key', call: text(said, 'call'), key: text(said, 'key', /^[0-9*#A-D]$/) } as const;
    case 'learn':
      return {
        do: 'learn',
        language: text(said, 'language', LANGUAGE),
        piece: text(said, 'piece'),
        sound: text(said, 'sound', SOUND),
        first: flag(said, 'first'),
      } as const;
    case 'tap':
      return {
        do: 'tap',
        call: text(said, 'call'),
        tap: text(said, 'tap'),
        ...(said.to === undefined ? {} : { to: tapEnds(said) }),
      } as const;
    case 'measure':
      return { do: 'measure', call: text(said, 'call') } as const;
    case 'hold':
      return {
        do: 'hold',
        call: text(said, 'call'),
        toTrunk: flag(said, 'toTrunk'),
        toHandset: flag(said, 'toHandset'),
      } as const;
    case 'close':
      return { do: 'close', call: text(said, 'call') } as const;
    case 'status':
      return { do: 'status' } as const;
    case 'retire':
      return { do: 'retire' } as const;
    default:
      throw new Wrong('/do is no order that this relay knows');
  }
}

function peer(said: Fields, name: string): PeerAddress {
  const it = object(said, name);
  return within(name, () => ({
    address: text(it, 'address', (value) => isIP(value) !== 0),
    port: integer(it, 'port', 1, 65_535),
    rtcpPort: integer(it, 'rtcpPort', 0, 65_535),
    networks: list(it, 'networks').map((network) => String(network)),
  }));
}

function speech(said: Fields): Speech {
  const it = object(said, 'speech');
  return within('speech', () => {
    const warnings = object(it, 'warnings');
    return {
      language: text(it, 'language', LANGUAGE),
      calleeLanguage: text(it, 'calleeLanguage', LANGUAGE),
      warnings: Object.fromEntries(Object.keys(warnings).map((at) => [at, pieces(warnings, at)])),
      warnTrunk: flag(it, 'warnTrunk'),
      closing: pieces(it, 'closing'),
      announcement: pieces(it, 'announcement'),
    };
  });
}

const pieces = (said: Fields, name: string): readonly string[] => list(said, name).map((piece) => String(piece));

function tapEnds(said: Fields) {
  const it = object(said, 'to');
  return within('to', () => ({
    // Copies of speech never leave this machine.
    address: text(it, 'address', (value) => value === '127.0.0.1'),
    handsetPort: integer(it, 'handsetPort', 1, 65_535),
    trunkPort: integer(it, 'trunkPort', 1, 65_535),
  }));
}

function formats(said: Fields, name: string): StreamFormats {
  const it = object(said, name);
  return within(name, () => {
    const voice = list(it, 'voice').map((value): VoiceFormat => {
      const format = object({ voice: value }, 'voice');
      const codec = CODECS.find((known) => known === format.codec);
      if (codec === undefined) throw new Wrong('/voice names an unknown codec');
      return { codec, payloadType: integer(format, 'payloadType', 0, 127) };
    });
    const events = it.events === undefined ? {} : { events: integer(it, 'events', 0, 127) };
    return { voice, ...events, eventsPass: flag(it, 'eventsPass') };
  });
}

/** Puts the name of the object before what is said of its fields. */
function within<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Wrong) throw new Wrong(`/${name}${error.message}`);
    throw error;
  }
}

function object(said: Fields, name: string): Fields {
  const value = said[name];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Wrong(`/${name} is no object`);
  return value as Fields;
}

function list(said: Fields, name: string): readonly unknown[] {
  const value = said[name];
  if (!Array.isArray(value) || value.length > 64) throw new Wrong(`/${name} is no list of at most 64`);
  return value;
}

function text(said: Fields, name: string, form: RegExp | ((value: string) => boolean) = /^.{1,128}$/): string {
  const value = said[name];
  const fits = typeof form === 'function' ? form : (it: string) => form.test(it);
  if (typeof value !== 'string' || !fits(value)) throw new Wrong(`/${name} is not what it should be`);
  return value;
}

function integer(said: Fields, name: string, least: number, most: number): number {
  const value = said[name];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw new Wrong(`/${name} is no integer from ${least} to ${most}`);
  return value;
}

function flag(said: Fields, name: string): boolean {
  const value = said[name];
  if (typeof value !== 'boolean') throw new Wrong(`/${name} is neither true nor false`);
  return value;
}
