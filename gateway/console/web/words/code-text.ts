import type { FactWords } from '../../api/calls.js';
import type { ConsoleLanguage } from '../../api/people.js';
import type { AlarmView } from '../../api/site.js';
import { detailIn } from './alarm-details.js';
import type { AlarmCode, AlarmSentences } from './alarms.en.js';
import type { CodeWords } from './codes.en.js';

/** The words of a code that the gateway gave, or the code itself where this page has none: a newer gateway knows more. */
export function titleOfCode(words: Readonly<Record<string, string>>, code: string): string {
  return Object.hasOwn(words, code) ? (words[code] ?? code) : code;
}

/** What decided, in the language of the page where the gateway has it so, else in English. */
export function factIn(
  { fact, facts }: { readonly fact?: string | undefined; readonly facts?: FactWords | undefined },
  language: ConsoleLanguage,
): string | undefined {
  return facts?.[language] ?? fact;
}

/**
 * What an alarm is about: its sentence in the language of the page, and what more the gateway said of it: in that language too,
 * or in its own English where there is no other.
 */
export function alarmText(
  said: CodeWords['alarmSaid'],
  alarm: AlarmView,
  language: ConsoleLanguage,
): { readonly sentence: string; readonly more?: string; readonly english?: string } {
  const { code, detail, handset, board, address, cut } = alarm;
  if (said === undefined || !isSaid(said.sentences, code)) return { sentence: detail };
  const parts = {
    ...said.parts,
    ...(handset === undefined ? {} : { handset }),
    ...(board === undefined ? {} : { board }),
    ...(address === undefined ? {} : { address }),
    ...(cut === undefined ? {} : { ...cut, calls: String(cut.calls) }),
  };
  const sentence = said.sentences[code](parts);
  if (WHOLE.has(code)) return { sentence };
  const more = language === 'en' ? undefined : detailIn(language, code, detail);
  if (more === undefined) return { sentence, english: detail };
  return more === '' ? { sentence } : { sentence, more };
}

const isSaid = (sentences: AlarmSentences, code: string): code is AlarmCode => Object.hasOwn(sentences, code);

/** Their sentences say all that the gateway does; of any other its own words say more. */
const WHOLE: ReadonlySet<string> = new Set<AlarmCode>([
  'cutoff',
  'line.left-off-hook',
  'sip.foreign-address',
  'sip.foreign-aor',
  'sip.foreign-contact',
  'sip.locked-out',
  'sip.moved-credential',
  'sip.inward-call',
  'sip.inward-request',
]);
