import type { JSX } from 'preact';
import type { AlarmView } from '../../api/site.js';
import { alarmText } from '../words/code-text.js';
import { useWords } from '../words/speak.js';

/** What an alarm says: in the page's language, and below it what more the gateway had to say, which is in English. */
export function AlarmDetail({ alarm }: { readonly alarm: AlarmView }): JSX.Element {
  const { w } = useWords();
  const { sentence, english } = alarmText(w.alarmSaid, alarm);
  return (
    <span class="alarm-detail">
      {sentence}
      {english !== undefined && (
        <span class="alarm-more" lang="en">
          {english}
        </span>
      )}
    </span>
  );
}
