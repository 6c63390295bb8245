import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Field } from '../parts/field.js';
import { NewPassword } from '../parts/new-password.js';
import { FaultNotice, Notice } from '../parts/notice.js';
import { hashOf } from '../router.js';
import { becomeFirst, findSession, logIn } from '../session.js';
import { useOrder } from '../use-asked.js';
import { LANGUAGE_NAMES, LANGUAGES, speak, useWords } from '../words/speak.js';

/** What stands outside: no page of the site without a session. */
function Door({
  title,
  lead,
  children,
}: {
  readonly title: string;
  readonly lead: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { w, language } = useWords();
  useEffect(() => {
    document.title = `${title} · Balise`;
  }, [title]);
  return (
    <main class="door">
      <div class="door-card">
        <p class="door-brand">
          <svg width="34" height="34" viewBox="0 0 32 32" aria-hidden="true">
            <rect class="brand-ground" width="32" height="32" rx="7" />
            <path class="brand-waves" d="M8 10.500a9 9 0 0 0 0 11M24 10.500a9 9 0 0 1 0 11M16 17v8" />
            <circle class="brand-light" cx="16" cy="14" r="3.400" />
          </svg>
          Balise
        </p>
        <h1>{title}</h1>
        <p class="door-lead">{lead}</p>
        {children}
      </div>
      <fieldset class="door-languages">
        <legend class="unseen">{w.language}</legend>
        {LANGUAGES.map((one) => (
          <button
            key={one}
            type="button"
            class="button-quiet"
            lang={one}
            aria-pressed={one === language}
            onClick={() => void speak(one, true)}
          >
            {LANGUAGE_NAMES[one]}
          </button>
        ))}
      </fieldset>
    </main>
  );
}

/** `isOver`: the gateway ended the session that was. */
export function LogInPage({ isOver }: { readonly isOver: boolean }): JSX.Element {
  const { w } = useWords();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const order = useOrder<void>();
  const act = async (event: Event) => {
    event.preventDefault();
    await order.run(() => logIn({ name: name.trim(), password }));
    setPassword('');
  };
  return (
    <Door title={w.logIn.title} lead={w.logIn.lead}>
      {isOver && order.fault === undefined && <Notice tone="plain">{w.logIn.over}</Notice>}
      {order.fault !== undefined && <FaultNotice fault={order.fault} />}
      <form onSubmit={act}>
        <Field label={w.logIn.name} value={name} onValue={setName} autocomplete="username" isRequired isFirst />
        <Field
          label={w.logIn.password}
          type="password"
          value={password}
          onValue={setPassword}
          autocomplete="current-password"
          isRequired
        />
        <button type="submit" class="button button-main button-wide" disabled={order.isBusy}>
          {order.isBusy ? w.logIn.busy : w.logIn.act}
        </button>
      </form>
    </Door>
  );
}

/** The one-time link's page: the first account, an administrator. */
export function FirstPersonPage({ token }: { readonly token: string }): JSX.Element {
  const { w, language } = useWords();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const order = useOrder<void>();
  const differ = again !== '' && again !== password;
  const act = async (event: Event) => {
    event.preventDefault();
    if (differ) return;
    // The token leaves the address bar and the history with the account that it made.
    await order.run(async () => {
      await becomeFirst({ token, name: name.trim().toLowerCase(), password, language });
      location.replace(hashOf());
    });
  };
  return (
    <Door title={w.first.title} lead={token === '' ? w.first.noToken : w.first.lead}>
      {order.fault !== undefined && <FaultNotice fault={order.fault} />}
      {token !== '' && (
        <form onSubmit={act}>
          <Field
            label={w.logIn.name}
            hint={w.people.nameHint}
            value={name}
            onValue={setName}
            autocomplete="username"
            isRequired
            isFirst
          />
          <NewPassword
            label={w.logIn.password}
            value={password}
            onValue={setPassword}
            again={again}
            onAgain={setAgain}
            differ={differ}
          />
          <button type="submit" class="button button-main button-wide" disabled={order.isBusy || differ}>
            {w.first.act}
          </button>
        </form>
      )}
    </Door>
  );
}

/** Nobody has an account yet, and whoever came has no link. */
export function NoPeoplePage(): JSX.Element {
  const { w } = useWords();
  return (
    <Door title={w.logIn.noPeople} lead={w.logIn.noPeopleHint}>
      <button type="button" class="button button-wide" onClick={() => void findSession()}>
        {w.again}
      </button>
    </Door>
  );
}

/** The gateway does not answer at all. */
export function UnreachablePage(): JSX.Element {
  const { w } = useWords();
  return (
    <Door title={w.contact.unreachable} lead={w.contact.unreachableHint}>
      <button type="button" class="button button-wide" onClick={() => void findSession()}>
        {w.again}
      </button>
    </Door>
  );
}
