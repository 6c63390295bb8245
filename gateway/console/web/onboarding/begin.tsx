import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { HandsetEdited, NewHandset } from '../../api/handset-edits.js';
import type { HandsetView } from '../../api/handsets.js';
import { ask } from '../ask.js';
import { liveSite } from '../live.js';
import { Choose, Field } from '../parts/field.js';
import { FaultNotice, Nothing } from '../parts/notice.js';
import { hashOf } from '../router.js';
import { may, session } from '../session.js';
import { useStore } from '../store.js';
import { useOrder } from '../use-asked.js';
import { useFormat } from '../use-format.js';
import { useWords } from '../words/speak.js';
import { BoardCards } from './board-step.js';
import { Hands } from './hands.js';
import { LinePlaceFields, type LineText, lineOf, NO_LINE } from './line-place.js';
import { ScanCard } from './scan-card.js';

const PROMPTS = ['fr', 'nl', 'de', 'en', 'sq', 'ru', 'tr'] as const;

/** The beginning of the walk: the boards, a new handset, and the ones to go on with. */
export function Begin(): JSX.Element {
  const { w } = useWords();
  const now = useStore(session);
  return (
    <>
      <p class="lead">{w.onboarding.lead}</p>
      <div class="columns columns-call">
        <div class="column">
          <section class="card">
            <h2>{w.onboarding.boards}</h2>
            <Hands>{w.onboarding.boardHands}</Hands>
            <BoardCards />
          </section>
          {may(now, 'configure') && <ScanCard />}
          {may(now, 'configure') && <NewCell />}
        </div>
        <div class="column">
          <Resume />
        </div>
      </div>
    </>
  );
}

function NewCell(): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const wings = useStore(liveSite, (site) => site?.wings) ?? [];
  const profiles = useStore(liveSite, (site) => site?.profiles) ?? [];
  const [id, setId] = useState('');
  const [wing, setWing] = useState('');
  const [profile, setProfile] = useState('');
  const [language, setLanguage] = useState('');
  const [line, setLine] = useState<LineText>(NO_LINE);
  const order = useOrder<HandsetEdited>();
  const add = async (event: Event) => {
    event.preventDefault();
    const place = lineOf(line);
    const body: NewHandset = {
      id: id.trim().toLowerCase(),
      wing: wing || (wings[0]?.wing ?? ''),
      profile: profile || (profiles[0] ?? ''),
      ...(language === '' ? {} : { language }),
      ...(place === undefined ? {} : { line: place }),
    };
    const done = await order.run(() => ask<HandsetEdited>('handsets', 'POST', body));
    if (done !== undefined) location.hash = hashOf('new-cell', done.handset);
  };
  return (
    <section class="card">
      <h2>{w.onboarding.begin}</h2>
      <Hands>{w.onboarding.cellHands}</Hands>
      <form onSubmit={add}>
        <Field
          label={w.onboarding.id}
          hint={w.onboarding.idHint}
          value={id}
          onValue={setId}
          isRequired
          maxLength={64}
        />
        <div class="pair">
          <Choose
            label={w.onboarding.wing}
            value={wing || (wings[0]?.wing ?? '')}
            onValue={setWing}
            choices={wings.map(({ wing: value }) => ({ value, text: value }))}
          />
          <Choose
            label={w.onboarding.profile}
            value={profile || (profiles[0] ?? '')}
            onValue={setProfile}
            choices={profiles.map((value) => ({ value, text: value }))}
          />
        </div>
        <Choose
          label={w.onboarding.spoken}
          value={language}
          onValue={setLanguage}
          choices={[
            { value: '', text: w.onboarding.siteLanguage },
            ...PROMPTS.map((value) => ({ value, text: format.languageName(value) })),
          ]}
        />
        <LinePlaceFields value={line} onValue={setLine} />
        {order.fault !== undefined && <FaultNotice fault={order.fault} />}
        <button type="submit" class="button button-main" disabled={order.isBusy || id.trim() === ''}>
          {order.isBusy ? w.onboarding.adding : w.onboarding.add}
        </button>
      </form>
    </section>
  );
}

/** The handsets that there are, those first that are not yet signed on. */
function Resume(): JSX.Element {
  const { w } = useWords();
  const handsets = useStore(liveSite, (site) => site?.handsets) ?? [];
  const isWell = ({ registered, fault }: HandsetView): number => Number(registered && fault === undefined);
  const ordered = [...handsets].sort((a, b) => isWell(a) - isWell(b));
  return (
    <section class="card">
      <h2>{w.onboarding.resume}</h2>
      <p class="hint">{w.onboarding.resumeHint}</p>
      {ordered.length === 0 && <Nothing>{w.onboarding.resumeNone}</Nothing>}
      <ul class="cells">
        {ordered.map((view) => (
          <li key={view.handset}>
            <a href={hashOf('new-cell', view.handset)}>{view.handset}</a>
            <span class="dim">{whereOf(view, w)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function whereOf(view: HandsetView, w: ReturnType<typeof useWords>['w']): string {
  if (view.fault !== undefined) return w.onboarding.resumeAt(w.onboarding.steps.board);
  return view.registered ? w.onboarding.complete : w.onboarding.resumeAt(w.onboarding.steps.phone);
}
