import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ConsoleLanguage, NewPerson, PersonChange, PersonEntry, Role } from '../../api/people.js';
import { ask } from '../ask.js';
import { Dialog } from '../parts/dialog.js';
import { Choose, Field } from '../parts/field.js';
import { FaultNotice, Notice } from '../parts/notice.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { useOrder } from '../use-asked.js';
import { LANGUAGE_NAMES, LANGUAGES, useWords } from '../words/speak.js';

const ROLES: readonly Role[] = ['technician', 'supervisor', 'auditor', 'administrator'];

interface Ends {
  readonly onClose: () => void;
  /** Something was changed. */
  readonly onDone: () => void;
}

/** What both dialogs ask: role and language. */
function RoleAndLanguage(parts: {
  readonly role: Role;
  readonly language: ConsoleLanguage;
  readonly onRole: (role: Role) => void;
  readonly onLanguage: (language: ConsoleLanguage) => void;
}): JSX.Element {
  const { w } = useWords();
  return (
    <>
      <Choose
        label={w.people.role}
        value={parts.role}
        onValue={(value) => parts.onRole(value as Role)}
        choices={ROLES.map((value) => ({ value, text: w.roles[value] }))}
      />
      <Choose
        label={w.people.language}
        value={parts.language}
        onValue={(value) => parts.onLanguage(value as ConsoleLanguage)}
        choices={LANGUAGES.map((value) => ({ value, text: LANGUAGE_NAMES[value] }))}
      />
    </>
  );
}

/** A new account. */
export function AddPersonDialog({ onClose, onDone }: Ends): JSX.Element {
  const { w, language: spoken } = useWords();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('technician');
  const [language, setLanguage] = useState<ConsoleLanguage>(spoken);
  const [password, setPassword] = useState('');
  const order = useOrder<PersonEntry>();
  const act = async (event: Event) => {
    event.preventDefault();
    const body: NewPerson = { name: name.trim().toLowerCase(), role, language, password };
    if ((await order.run(() => ask<PersonEntry>('people', 'POST', body))) !== undefined) onDone();
  };
  return (
    <Dialog title={w.people.add} onClose={onClose} isBusy={order.isBusy}>
      <form onSubmit={act}>
        <Field
          label={w.people.name}
          hint={w.people.nameHint}
          value={name}
          onValue={setName}
          isRequired
          isFirst
          maxLength={32}
        />
        <RoleAndLanguage role={role} language={language} onRole={setRole} onLanguage={setLanguage} />
        <Field
          label={w.people.first}
          type="password"
          value={password}
          onValue={setPassword}
          hint={`${w.password.rules} ${w.people.firstHint}`}
          autocomplete="new-password"
          isRequired
        />
        {order.fault !== undefined && <FaultNotice fault={order.fault} />}
        <div class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            {w.cancel}
          </button>
          <button type="submit" class="button button-main" disabled={order.isBusy}>
            {w.people.addAct}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Changes an account, or removes it after a second question. */
export function ChangePersonDialog({ person, onClose, onDone }: Ends & { readonly person: PersonEntry }): JSX.Element {
  const { w } = useWords();
  const me = useStore(session, (now) => (now.is === 'open' ? now.view.person.name : ''));
  const [role, setRole] = useState<Role>(person.role);
  const [language, setLanguage] = useState<ConsoleLanguage>(person.language);
  const [password, setPassword] = useState('');
  const [disabled, setDisabled] = useState(person.disabled);
  const [isSure, setSure] = useState(false);
  const order = useOrder<true>();
  const path = `people/${encodeURIComponent(person.name)}`;
  const run = async (method: 'PATCH' | 'DELETE', body?: PersonChange) => {
    const done = await order.run(async () => {
      await ask(path, method, body);
      return true;
    });
    if (done === true) onDone();
  };
  const act = (event: Event) => {
    event.preventDefault();
    void run('PATCH', {
      ...(role !== person.role && { role }),
      ...(language !== person.language && { language }),
      ...(disabled !== person.disabled && { disabled }),
      ...(password !== '' && { password }),
    });
  };
  return (
    <Dialog title={w.people.changeTitle(person.name)} onClose={onClose} isBusy={order.isBusy}>
      <form onSubmit={act}>
        <RoleAndLanguage role={role} language={language} onRole={setRole} onLanguage={setLanguage} />
        <Field
          label={w.people.fresh}
          type="password"
          value={password}
          onValue={setPassword}
          hint={w.password.rules}
          autocomplete="new-password"
        />
        {person.name !== me && (
          <label class="tick">
            <input type="checkbox" checked={disabled} onChange={(event) => setDisabled(event.currentTarget.checked)} />
            <span>{w.people.isDisabled}</span>
          </label>
        )}
        {order.fault !== undefined && <FaultNotice fault={order.fault} />}
        {isSure && <Notice tone="warn">{w.people.removeSure(person.name)}</Notice>}
        <div class="dialog-foot">
          {person.name !== me && (
            <button
              type="button"
              class="button button-cut foot-left"
              disabled={order.isBusy}
              onClick={() => (isSure ? void run('DELETE') : setSure(true))}
            >
              {w.people.remove}
            </button>
          )}
          <button type="button" class="button" onClick={onClose}>
            {w.cancel}
          </button>
          <button type="submit" class="button button-main" disabled={order.isBusy}>
            {w.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
