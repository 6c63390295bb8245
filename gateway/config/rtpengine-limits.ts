import type { Checked } from './site-check.js';

/** The keys of a telephone. The daemon lets them all through, or none. */
const EVERY_DIGIT = '0123456789*#';
const USE_RELAY = 'change it, or use the driver relay';

/** What is asked of speech at a site whose rtpengine cannot do it: it is refused here, and never silently left out. */
export function checkRtpengine(checked: Checked): void {
  const { site, profiles } = checked.content;
  if (site?.media?.driver !== 'rtpengine') return;
  const { recording, ports } = site.media;
  const ofSite = (pointer: string, found: unknown, expected: string): void =>
    checked.report('site', `/media/${pointer}`, found, expected, USE_RELAY);
  if (recording !== undefined) ofSite('recording', recording, 'no recording: only the relay copies what is said');
  if (ports !== undefined && ports !== null)
    ofSite('ports', ports, 'null: the daemon has its own port-min and port-max');
  for (const [index, profile] of (profiles ?? []).entries()) {
    if (profile === undefined) continue;
    const refuse = (name: keyof typeof profile, expected: string): void =>
      checked.report('profiles', `/${index}/${name}`, profile[name], `${expected} with driver rtpengine`, USE_RELAY);
    const digits = profile.digitsAllowed ?? '';
    const isEvery = [...EVERY_DIGIT].every((digit) => digits.includes(digit));
    if (digits !== '' && !isEvery) refuse('digitsAllowed', `"" or "${EVERY_DIGIT}": it tells no digit from another`);
    if (digits !== '' && profile.digitsMost !== undefined) refuse('digitsMost', 'no limit: it counts no digits');
    if (profile.digitsInSpeech === 'mute')
      refuse('digitsInSpeech', '"pass", in so many words: it hears no keys in speech');
    if (profile.digitAlarm === true) refuse('digitAlarm', 'false: it tells of no digit');
    if (profile.supervised === true) refuse('supervised', 'false: nobody can listen');
    if ((profile.silenceAlarmS ?? 0) > 0) refuse('silenceAlarmS', 'nothing or 0: it tells of no silence');
  }
}
