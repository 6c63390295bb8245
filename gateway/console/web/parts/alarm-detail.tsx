import type { JSX } from 'preact';
import type { AlarmView } from '../../api/site.js';
import { alarmText } from '../words/code-text.js';
import { useWords } from '../words/speak.js';

/** What an alarm says: in the page's language, and below it what more the gateway had to say, in English where it has no other words. */
export function AlarmDetail({ alarm }: { readonly alarm: AlarmView }): JSX.Element {
  const { language, w } = useWords();
  const { sentence, more, english } = alarmText(w.alarmSaid, alarm, language);
  return (
    <span class="alarm-detail">
      {sentence}
      {more !== undefined && <span class="alarm-more">{more}</span>}
      {english !== undefined && (
        <span class="alarm-more" lang="en">
          {english}
        </span>
      )}
    </span>
  );
}
