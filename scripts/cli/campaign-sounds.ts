/** What callees of a campaign are told, as sound in the site's data folder. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Language } from '../../config/schema/types.generated.js';
import { programData } from '../../gateway/config/paths.js';
import { OWN_SOUNDS } from '../../gateway/media/own-sounds.js';
import { campaignPiece } from '../../gateway/work/campaign-announcement.js';
import { speak } from '../prompts/speak.js';
import { UsageFault } from './command.js';

/** Half a minute of G.711, bytes. */
const LONGEST = 240_000;

/**
 * Keeps a sound for each language: the recording that `recorded` names (`<language>=<file>`), else the words, spoken. Throws a
 * `UsageFault` when one cannot be made, and then changes nothing.
 */
export function keepSounds(
  dataFolder: string,
  campaign: string,
  words: Readonly<Partial<Record<Language, string>>>,
  recorded: readonly string[],
): void {
  const files = new Map(recorded.map((text) => [text.split('=')[0] ?? '', text.replace(/^[^=]*=/, '')]));
  const strange = [...files.keys()].find((language) => !(language in words));
  if (strange !== undefined) throw new UsageFault(`--sound ${strange}: the campaign does not speak it`);
  const sounds = Object.entries(words).map(([language, text]) => {
    const file = files.get(language);
    return { language, sound: file === undefined ? spoken(language, text) : recording(file) };
  });
  for (const { language, sound } of sounds) {
    const folder = join(dataFolder, OWN_SOUNDS, language);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const to = join(folder, `${campaignPiece(campaign)}.alaw`);
    // A gateway that runs reads the old one or the new one.
    writeFileSync(`${to}.new`, sound);
    renameSync(`${to}.new`, to);
  }
}

function recording(file: string): Buffer {
  let sound: Buffer;
  try {
    sound = readFileSync(file);
  } catch (fault) {
    throw new UsageFault(`--sound ${file}: ${(fault as Error).message}`);
  }
  if (sound.length > 0 && sound.length <= LONGEST && sound.subarray(0, 4).toString('latin1') !== 'RIFF') return sound;
  throw new UsageFault(`--sound ${file}: expected G.711 A-law of 8 kHz without a header, half a minute at the most`);
}

function spoken(language: string, text: string): Buffer {
  const { voice } = JSON.parse(readFileSync(programData('prompts', language, 'texts.json'), 'utf8')) as {
    voice: string;
  };
  let sound: Buffer;
  try {
    sound = speak(voice, text);
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault);
    throw new UsageFault(
      `what callees are told in ${language} cannot be spoken: ${why}; or give --sound ${language}=<file>`,
    );
  }
  if (sound.length <= LONGEST) return sound;
  throw new UsageFault(`what callees are told in ${language} takes more than half a minute: make it shorter`);
}
