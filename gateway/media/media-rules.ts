import type { Announcement } from '../calls/ports.js';
import type { HandsetId, PersonId } from '../policy/ids.js';
import type { Speech, VoiceCodec } from './control-protocol.js';
import { ANNOUNCEMENT, CLOSING, type Language, SPOKEN_WARNINGS } from './prompts.js';
import { HEARD_CODECS } from './sdp-formats.js';

/** What a handset's calls may carry and are told, beside what its grant says. */
export interface MediaRules {
  /** In which the handset is spoken to. */
  readonly language: Language;
  /** In which the callee is spoken to. */
  readonly calleeLanguage: Language;
  readonly codecs: readonly VoiceCodec[];
  readonly spokenWarnings: boolean;
  readonly warnCallee: boolean;
  readonly announcement: boolean;
  readonly digitsInSpeech: boolean;
  readonly digitsMost?: number;
  readonly digitAlarm: boolean;
  /** A side that is silent for so long is an alarm, seconds; 0 for never. */
  readonly silenceAlarmS: number;
}

/** Asked once a call; the person is absent where nobody is signed on. */
export type RulesOf = (handset: HandsetId, person: PersonId | undefined) => MediaRules;

export const PLAIN_RULES: MediaRules = {
  language: 'en',
  calleeLanguage: 'en',
  codecs: HEARD_CODECS,
  spokenWarnings: false,
  warnCallee: false,
  announcement: false,
  digitsInSpeech: false,
  digitAlarm: false,
  silenceAlarmS: 0,
};

/** What is said in words in a call of these rules; `announced` in place of their own announcement. */
export function speechOf(rules: MediaRules, announced?: Announcement): Speech {
  const { language, spokenWarnings, warnCallee } = rules;
  const calleeLanguage = announced?.language ?? rules.calleeLanguage;
  const announcement = announced?.pieces ?? (rules.announcement ? [ANNOUNCEMENT] : []);
  const spoken = Object.entries(SPOKEN_WARNINGS).map(([seconds, piece]) => [seconds, [piece]] as const);
  return {
    language,
    calleeLanguage,
    warnings: spokenWarnings ? Object.fromEntries(spoken) : {},
    warnTrunk: warnCallee,
    closing: spokenWarnings ? [CLOSING] : [],
    announcement,
  };
}
