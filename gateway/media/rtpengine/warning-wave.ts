import { SAMPLE_RATE, WARNING } from '../relay/warning-tone.js';

let wave: string | undefined;

/** The warning as a WAV file, one character a byte, for the daemon to play. */
export function warningWave(): string {
  wave ??= waveOf(WARNING);
  return wave;
}

function waveOf(samples: Int16Array): string {
  const bytes = samples.length * 2;
  const file = Buffer.alloc(44 + bytes);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(36 + bytes, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(SAMPLE_RATE, 24);
  file.writeUInt32LE(SAMPLE_RATE * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(bytes, 40);
  for (const [i, sample] of samples.entries()) file.writeInt16LE(sample, 44 + i * 2);
  return file.toString('latin1');
}
