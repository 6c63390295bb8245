import type { FactWords } from '../../api/calls.js';
import type { ConsoleLanguage } from '../../api/people.js';
import type { AlarmView } from '../../api/site.js';
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

/** What an alarm is about: its sentence in the language of the page, and what the gateway said of it in English beside it. */
export function alarmText(
  said: CodeWords['alarmSaid'],
  alarm: AlarmView,
): { readonly sentence: string; readonly english?: string } {
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
  return WHOLE.has(code) ? { sentence } : { sentence, english: detail };
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
