/** What a callee is told of the campaign at the answer, in the contact's own language: for whom it is called, and why. */
import type { Campaign, Language } from '../../config/schema/types.generated.js';
import type { Announcement } from '../calls/ports.js';

/** That the call is supervised, in the program's own prompts. */
const SUPERVISED = 'announcement.callee';

/** The name of the sound that holds a campaign's words. */
export const campaignPiece = (campaign: string): string => `campaign.${campaign}`;

/** The announcement of a campaign. No campaign calls without one: where its sound is not there, nobody is called. */
export function announcementOf({ id, supervised }: Campaign, language: Language): Announcement {
  return { language, pieces: [campaignPiece(id), ...(supervised ? [SUPERVISED] : [])] };
}

const WORDS: Readonly<Record<Language, (firm: string, purpose: string) => string>> = {
  nl: (firm, purpose) => `Goedendag. Wij bellen u namens ${firm}. Het gaat om: ${purpose}.`,
  fr: (firm, purpose) => `Bonjour. Nous vous appelons pour ${firm}. Objet de l'appel : ${purpose}.`,
  de: (firm, purpose) => `Guten Tag. Wir rufen Sie im Auftrag von ${firm} an. Es geht um: ${purpose}.`,
  en: (firm, purpose) => `Hello. We are calling for ${firm}. It is about: ${purpose}.`,
  tr: (firm, purpose) => `Merhaba. Sizi ${firm} adına arıyoruz. Konu: ${purpose}.`,
  sq: (firm, purpose) => `Përshëndetje. Po ju telefonojmë në emër të ${firm}. Tema: ${purpose}.`,
  ru: (firm, purpose) => `Здравствуйте. Мы звоним вам по поручению ${firm}. Тема: ${purpose}.`,
};

/** The words of a campaign in each of its languages: its own where it has some, else its firm and its purpose. */
export function announcementWords({
  languages,
  announcement,
  firm,
  purpose,
}: Campaign): Partial<Record<Language, string>> {
  return Object.fromEntries(
    languages.map((language) => [language, announcement?.[language] ?? WORDS[language](firm, purpose)]),
  );
}
