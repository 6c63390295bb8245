import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Choose, Field, Term } from '../parts/field.js';
import { NewPassword } from '../parts/new-password.js';
import { FaultNotice, Notice } from '../parts/notice.js';
import { Page } from '../parts/page.js';
import { changePassword, chooseLanguage, logOut, session } from '../session.js';
import { useStore } from '../store.js';
import { useOrder } from '../use-asked.js';
import { LANGUAGE_NAMES, LANGUAGES, useWords } from '../words/speak.js';

/** Who one is, the language of the page, the password, and the way out. */
export function AccountPage(): JSX.Element | null {
  const { w, language } = useWords();
  const now = useStore(session);
  const out = useOrder<void>();
  if (now.is !== 'open') return null;
  return (
    <Page
      title={w.password.title}
      actions={
        <button type="button" class="button" onClick={() => void out.run(logOut)}>
          {w.password.logOut}
        </button>
      }
    >
      <div class="columns">
        <section class="card">
          <dl class="terms">
            <Term name={w.logIn.name}>{now.view.person.name}</Term>
            <Term name={w.password.role}>{w.roles[now.view.person.role]}</Term>
          </dl>
          <Choose
            label={w.language}
            value={language}
            onValue={(value) => {
              const found = LANGUAGES.find((one) => one === value);
              if (found !== undefined) void chooseLanguage(found);
            }}
            choices={LANGUAGES.map((one) => ({ value: one, text: LANGUAGE_NAMES[one] }))}
          />
        </section>
        <PasswordCard />
      </div>
    </Page>
  );
}

function PasswordCard(): JSX.Element {
  const { w } = useWords();
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const [again, setAgain] = useState('');
  const order = useOrder<true>();
  const differ = again !== '' && again !== fresh;
  const act = async (event: Event) => {
    event.preventDefault();
    if (differ) return;
    const done = await order.run(async () => {
      await changePassword(old, fresh);
      return true;
    });
    if (done !== true) return;
    setOld('');
    setFresh('');
    setAgain('');
  };
  return (
    <section class="card">
      <h2>{w.password.heading}</h2>
      {order.fault !== undefined && <FaultNotice fault={order.fault} />}
      {order.value === true && <Notice tone="good">{w.password.done}</Notice>}
      <form onSubmit={act}>
        <Field
          label={w.password.old}
          type="password"
          value={old}
          onValue={setOld}
          autocomplete="current-password"
          isRequired
        />
        <NewPassword
          label={w.password.fresh}
          value={fresh}
          onValue={setFresh}
          again={again}
          onAgain={setAgain}
          differ={differ}
        />
        <button type="submit" class="button button-main" disabled={order.isBusy || differ}>
          {w.password.act}
        </button>
      </form>
    </section>
  );
}
