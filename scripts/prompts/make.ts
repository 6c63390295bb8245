/**
 * Speaks every text of config/prompts/<language>/texts.json with espeak-ng and keeps it beside it as <name>.alaw: G.711
 * A-law, 8 kHz, no header. `node dist/scripts/prompts/make.js [language…]` makes all, or those languages, anew; a text that a
 * real voice has recorded is listed in texts.json under `recorded`, and left alone. Debian: apt-get install espeak-ng sox.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programData } from '../../gateway/config/paths.js';
import { speak } from './speak.js';

interface Texts {
  /** espeak-ng's name of the voice. */
  readonly voice: string;
  readonly texts: Readonly<Record<string, string>>;
  readonly recorded?: readonly string[];
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
