import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { PersonEntry } from '../../api/people.js';
import { AskedPart } from '../parts/asked.js';
import { Page } from '../parts/page.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { useAsked } from '../use-asked.js';
import { useFormat } from '../use-format.js';
import { LANGUAGE_NAMES, useWords } from '../words/speak.js';
import { AddPersonDialog, ChangePersonDialog } from './people-dialogs.js';

/** Who may log in, and as what. */
export function PeoplePage(): JSX.Element {
  const { w } = useWords();
  const asked = useAsked<{ readonly people: readonly PersonEntry[] }>('people');
  const [open, setOpen] = useState<'add' | PersonEntry | undefined>(undefined);
  const done = () => {
    setOpen(undefined);
    asked.again();
  };
  return (
    <Page
      title={w.people.title}
      actions={
        <button type="button" class="button button-main" onClick={() => setOpen('add')}>
          {w.people.add}
        </button>
      }
    >
      <section class="card card-table" aria-label={w.people.title}>
        <AskedPart asked={asked}>
          {({ people }) => (
            <div class="table-scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">{w.people.name}</th>
                    <th scope="col">{w.people.role}</th>
                    <th scope="col">{w.people.language}</th>
                    <th scope="col">{w.people.seen}</th>
                    <th scope="col">{w.people.state}</th>
                    <th scope="col">
                      <span class="unseen">{w.people.change}</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {people.map((one) => (
                    <Row key={one.name} person={one} onChange={() => setOpen(one)} />
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </AskedPart>
      </section>
      {open === 'add' && <AddPersonDialog onClose={() => setOpen(undefined)} onDone={done} />}
      {open !== undefined && open !== 'add' && (
        <ChangePersonDialog person={open} onClose={() => setOpen(undefined)} onDone={done} />
      )}
    </Page>
  );
}

function Row({ person, onChange }: { readonly person: PersonEntry; readonly onChange: () => void }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const me = useStore(session, (now) => (now.is === 'open' ? now.view.person.name : ''));
  const { name, role, language, lastSeenAt, lockedUntil, disabled } = person;
  return (
    <tr>
      <th scope="row">
        {name} {name === me && <span class="badge">{w.people.you}</span>}
      </th>
      <td>{w.roles[role]}</td>
      <td>{LANGUAGE_NAMES[language]}</td>
      <td>{lastSeenAt === undefined ? w.people.never : format.when(lastSeenAt)}</td>
      <td>
        {disabled ? (
          <span class="badge is-fault">{w.people.disabled}</span>
        ) : lockedUntil !== undefined ? (
          <span class="badge is-fault">{w.people.locked(format.when(lockedUntil))}</span>
        ) : (
          w.people.active
        )}
      </td>
      <td class="row-act">
        <button type="button" class="button" aria-label={w.people.changeTitle(name)} onClick={onChange}>
          {w.people.change}
        </button>
      </td>
    </tr>
  );
}
