/** A telephone number in every form in which a byte stream could hold it, and who is to find it there. */
import { LAWS } from '../../gateway/media/relay/g711.js';
import { ToneEar } from '../../gateway/media/relay/tone-ear.js';

const HEADER = 12;
const PCMU = 0;
const EVENTS = 101;
/** RFC 4733 §3.2. */
const KEYS = '0123456789*#ABCD';
const SEPARATORS = /(?<=\d)[\s\-./()_,;:'"\\]{1,3}(?=\d)/g;
const AT_LEAST = 8;

/** `text` in base64, as it stands in the middle of other text: one form for each place that it may begin at. */
function base64Of(text: string): readonly string[] {
  return [0, 1, 2].map((shift) => {
    const whole = Buffer.from(`${'\0'.repeat(shift)}${text}`)
      .toString('base64')
      .replaceAll('=', '');
    // The first and the last characters hold bits of what stands around it.
    return whole.slice(shift === 0 ? 0 : shift + 1, -2);
  });
}

const escaped = (text: string, as: (code: string) => string): string =>
  [...text].map((digit) => as(digit.charCodeAt(0).toString(16).padStart(2, '0'))).join('');

/** The forms of an E.164 number with a country code of so many digits, as strings of latin1: a byte is a character. */
export function formsOf(number: string, codeDigits = 2): readonly string[] {
  const whole = number.replace('+', '');
  const national = whole.slice(codeDigits);
  const local = national.slice(-AT_LEAST);
  const integer = Buffer.alloc(8);
  integer.writeBigUInt64BE(BigInt(whole));
  const float = Buffer.alloc(8);
  float.writeDoubleBE(Number(whole));
  const bytes = [
    integer.subarray(2),
    Buffer.from(integer).reverse().subarray(0, 6),
    float,
    Buffer.from(float).reverse(),
  ];
  const packed = Buffer.from(whole.length % 2 === 0 ? whole : `${whole}f`, 'hex');
  return [
    ...[whole, national, local, [...whole].reverse().join(''), [...national].reverse().join('')],
    ...[whole, national].flatMap((text) => [
      ...base64Of(text),
      ...base64Of(`+${text}`),
      Buffer.from(text).toString('hex'),
      Buffer.from(text, 'utf16le').toString('latin1'),
      Buffer.from(text, 'utf16le').swap16().toString('latin1'),
      escaped(text, (code) => `\\u00${code}`),
      escaped(text, (code) => `%${code}`),
      escaped(text, (code) => `&#${Number.parseInt(code, 16)};`),
    ]),
    ...[...bytes, packed].map((form) => form.toString('latin1')),
  ];
}

/** The forms that are found in what was captured; with separators left out too. */
export function foundIn(captured: string | Buffer, forms: readonly string[]): readonly string[] {
  const text = typeof captured === 'string' ? Buffer.from(captured).toString('latin1') : captured.toString('latin1');
  const joined = text.replace(SEPARATORS, '');
  return forms.filter((form) => text.includes(form) || joined.includes(form));
}

/** What a handset could read out of the packets that it was sent: the tones in the sound and the events, as keys. */
export function keysHeard(packets: readonly Buffer[]): { readonly tones: string; readonly events: string } {
  const ear = new ToneEar();
  let tones = '';
  let last = '';
  let events = '';
  for (const packet of packets) {
    const type = (packet[1] ?? 0) & 0x7f;
    if (type === EVENTS && ((packet[1] ?? 0) & 0x80) !== 0) events += KEYS[packet[HEADER] ?? 0] ?? '';
    if (type !== PCMU) continue;
    const digit = ear.hear(packet, HEADER, packet.length, LAWS.pcmu);
    if (digit !== '' && digit !== last) tones += digit;
    last = digit;
  }
  return { tones, events };
}

const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];
const RATE = 8_000;
const SAMPLES = 160;
/** Of a key, packets with its tone, and without. */
const TONE = 2;
const PAUSE = 2;

/** The tones of these digits (ITU-T Q.23), µ-law payloads of 20 ms. */
export function tonesOf(digits: string): readonly Buffer[] {
  return [...digits].flatMap((digit) => {
    const at = '123456789*0#'.indexOf(digit);
    const [row = 0, column = 0] = [ROWS[Math.floor(at / 3)], COLUMNS[at % 3]];
    const sample = (n: number): number =>
      Math.round(6_000 * (Math.sin((2 * Math.PI * row * n) / RATE) + Math.sin((2 * Math.PI * column * n) / RATE)));
    const payload = (part: number): Buffer =>
      Buffer.from(
        Array.from(
          { length: SAMPLES },
          (_, n) => LAWS.pcmu.encode[(sample(part * SAMPLES + n) + 32_768) & 0xffff] ?? 0xff,
        ),
      );
    const silence = Array.from({ length: PAUSE }, () => Buffer.alloc(SAMPLES, 0xff));
    return [...Array.from({ length: TONE }, (_, part) => payload(part)), ...silence];
  });
}
