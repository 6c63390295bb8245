/** WAV files (RIFF, of the Multimedia Programming Interface and Data Specifications 1.0) at 8 kHz. */
import { LAWS } from '../relay/g711.js';
import { SAMPLE_RATE } from '../relay/warning-tone.js';

/** The format tags, and the bytes of a sample. */
const ENCODINGS = { linear: { tag: 1, bytes: 2 }, alaw: { tag: 6, bytes: 1 } } as const;
/** A length that nobody knows yet: to the end. */
const TO_THE_END = 0xffff_ffff;

export interface WaveForm {
  /** 16-bit linear, or G.711 A-law. */
  readonly encoding: keyof typeof ENCODINGS;
  readonly channels: 1 | 2;
  /** Bytes of samples behind the header; absent while they are still to come. */
  readonly bytes?: number;
}

/** The 46 bytes before the samples of a WAV file. */
export function waveHeader({ encoding, channels, bytes }: WaveForm): Buffer {
  const { tag, bytes: width } = ENCODINGS[encoding];
  const header = Buffer.alloc(46);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(bytes === undefined ? TO_THE_END : header.length - 8 + bytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(18, 16);
  header.writeUInt16LE(tag, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(SAMPLE_RATE, 24);
  header.writeUInt32LE(SAMPLE_RATE * channels * width, 28);
  header.writeUInt16LE(channels * width, 32);
  header.writeUInt16LE(width * 8, 34);
  header.write('data', 38, 'latin1');
  header.writeUInt32LE(bytes ?? TO_THE_END, 42);
  return header;
}

/** A-law samples as 16-bit linear ones, which every player takes. */
export function linearOf(alaw: Buffer): Buffer {
  const linear = Buffer.alloc(alaw.length * 2);
  for (const [i, byte] of alaw.entries()) linear.writeInt16LE(LAWS.pcma.decode[byte] as number, i * 2);
  return linear;
}
