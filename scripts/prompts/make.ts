/**
 * Speaks every text of config/prompts/<language>/texts.json with espeak-ng and keeps it beside it as <name>.alaw: G.711
 * A-law, 8 kHz, no header. `node dist/scripts/prompts/make.js [language…]` makes all, or those languages, anew; a text that a
 * real voice has recorded is listed in texts.json under `recorded`, and left alone. Debian: apt-get install espeak-ng sox.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programData } from '../../gateway/config/paths.js';

interface Texts {
  /** espeak-ng's name of the voice. */
  readonly voice: string;
  readonly texts: Readonly<Record<string, string>>;
  readonly recorded?: readonly string[];
}

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

function speak(voice: string, text: string): Buffer {
  const wave = run('espeak-ng', ['-v', voice, '-s', WORDS_PER_MINUTE, '--stdout'], Buffer.from(text));
  // espeak-ng writes a length of its own choosing into a header that goes to a pipe.
  const out = ['-t', 'al', '-r', SAMPLE_RATE, '-c', '1', '-'];
  return run('sox', ['-V1', '--ignore-length', '-D', '-t', 'wav', '-', ...out, ...EFFECTS.split(' ')], wave);
}

function makeLanguage(folder: string): { prompts: number; bytes: number } {
  const { voice, texts, recorded = [] } = JSON.parse(readFileSync(join(folder, 'texts.json'), 'utf8')) as Texts;
  let bytes = 0;
  for (const [name, text] of Object.entries(texts)) {
    if (recorded.includes(name)) continue;
    const sound = speak(voice, text);
    bytes += sound.length;
    writeFileSync(join(folder, `${name}.alaw`), sound);
  }
  for (const file of readdirSync(folder))
    if (file.endsWith('.alaw') && texts[file.slice(0, -'.alaw'.length)] === undefined) rmSync(join(folder, file));
  return { prompts: Object.keys(texts).length, bytes };
}

const root = programData('prompts');
const asked = process.argv.slice(2);
const languages = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
for (const { name } of languages) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const { prompts, bytes } = makeLanguage(join(root, name));
  process.stdout.write(`${name}: ${prompts} prompts, ${Math.round(bytes / 1_000)} kB\n`);
}
