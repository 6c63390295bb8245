import type { JSX } from 'preact';
import type { Judgement } from '../../api/calls.js';
import { titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';
import { Icon } from './icon.js';

/** The rules in the order of judgement: first those that refuse or have something to say, the others behind one line. */
export function JudgementTable({ why }: { readonly why: readonly Judgement[] }): JSX.Element {
  const { w } = useWords();
  const telling = why.filter(({ verdict, words }) => verdict === 'refuses' || words.length > 0);
  const silent = why.filter((one) => !telling.includes(one));
  return (
    <>
      <Rules rules={telling} />
      {silent.length > 0 && (
        <details>
          <summary>{w.call.othersPass(silent.length)}</summary>
          <Rules rules={silent} />
        </details>
      )}
    </>
  );
}

function Rules({ rules }: { readonly rules: readonly Judgement[] }): JSX.Element {
  const { w } = useWords();
  return (
    <ul class="judgements">
      {rules.map(({ rule, verdict, words }) => (
        <li key={rule} class={`judged-${verdict}`}>
          <span class="judged-mark">
            <Icon name={verdict === 'passes' ? 'check' : 'refused'} size={18} />
            <span class="unseen">{verdict === 'passes' ? w.call.passes : w.call.refuses}</span>
          </span>
          {/* A rule's words say why it refuses; where it passes, its code is enough. */}
          <span class="judged-rule">
            {verdict === 'refuses' && <b>{titleOfCode(w.rules, rule)} </b>}
            <code>{rule}</code>
          </span>
          {words.length > 0 && <span class="judged-words">{words.join('; ')}</span>}
        </li>
      ))}
    </ul>
  );
}
