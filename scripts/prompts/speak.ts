/** Texts as sound: espeak-ng's voices through sox, G.711 A-law of 8 kHz without a header. Debian: apt-get install espeak-ng sox. */
import { spawnSync } from 'node:child_process';

const SAMPLE_RATE = '8000';
const WORDS_PER_MINUTE = '165';
/** The telephone's band; silence cut off at both ends; the loudest sample 4 dB under full scale; a breath before and after. */
const EFFECTS =
  'highpass 150 lowpass 3500 silence 1 0.01 0.4% reverse silence 1 0.01 0.4% reverse rate -h 8000 gain -n -4 pad 0.02 0.06';

function run(program: string, args: readonly string[], input?: Buffer): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, maxBuffer: 64 * 1024 * 1024 });
  if (error !== undefined) throw new Error(`${program} cannot be run: ${error.message}; apt-get install espeak-ng sox`);
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}

/** Speaks a text with one of espeak-ng's voices. Throws when either program is missing or fails. */
export function speak(voice: string, text: string): Buffer {
  const wave = run('espeak-ng', ['-v', voice, '-s', WORDS_PER_MINUTE, '--stdout'], Buffer.from(text));
  // espeak-ng writes a length of its own choosing into a header that goes to a pipe.
  const out = ['-t', 'al', '-r', SAMPLE_RATE, '-c', '1', '-'];
  return run('sox', ['-V1', '--ignore-length', '-D', '-t', 'wav', '-', ...out, ...EFFECTS.split(' ')], wave);
}
