import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';

interface FieldParts {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly hint?: string;
  readonly type?: 'text' | 'password' | 'search' | 'date' | 'tel';
  readonly autocomplete?: string;
  readonly isRequired?: boolean;
  readonly maxLength?: number;
  readonly list?: string;
  readonly placeholder?: string;
  readonly isFirst?: boolean;
  /** What the browser asks of it before it is sent, as HTML has it. */
  readonly pattern?: string;
}

/** A labelled input, with its hint where the screen reader finds it. */
export function Field(parts: FieldParts): JSX.Element {
  const id = useId();
  const { label, value, onValue, hint, type = 'text', isRequired = false } = parts;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type={type}
        value={value}
        required={isRequired}
        {...(parts.maxLength === undefined ? {} : { maxLength: parts.maxLength })}
        {...(parts.pattern === undefined ? {} : { pattern: parts.pattern })}
        {...(parts.list === undefined ? {} : { list: parts.list })}
        {...(parts.placeholder === undefined ? {} : { placeholder: parts.placeholder })}
        {...(hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })}
        autofocus={parts.isFirst ?? false}
        autocomplete={parts.autocomplete ?? 'off'}
        spellcheck={false}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

export interface Choice {
  readonly value: string;
  readonly text: string;
}

/** A labelled choice of one. */
export function Choose({
  label,
  value,
  choices,
  onValue,
}: {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly Choice[];
  readonly onValue: (value: string) => void;
}): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {choices.map((one) => (
          <option key={one.value} value={one.value}>
            {one.text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A name and what it is, in a list of such (a `dl`). */
export function Term({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div class="term">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
