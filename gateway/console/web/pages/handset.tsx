import type { JSX } from 'preact';
import type { HandsetPage as HandsetFacts, HandsetView } from '../../api/handsets.js';
import { CutButton, ReleaseButton } from '../cutoff/cut-button.js';
import { stateOf } from '../handset-state.js';
import { liveSite } from '../live.js';
import { AskedPart } from '../parts/asked.js';
import { CallsTable } from '../parts/calls-table.js';
import { Term } from '../parts/field.js';
import { Icon } from '../parts/icon.js';
import { Notice } from '../parts/notice.js';
import { Page } from '../parts/page.js';
import { Ring } from '../parts/ring.js';
import { hashOf, setQuery } from '../router.js';
import { may, session } from '../session.js';
import { useStore } from '../store.js';
import { useAsked } from '../use-asked.js';
import { useFormat } from '../use-format.js';
import { WeekCard } from '../week/week-card.js';
import { factIn, titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';
import { AbleButton } from './handset-able.js';
import { PhoneCard } from './handset-phone.js';
import { RemoveButton } from './handset-remove.js';
import { TestsCard } from './handset-tests.js';
import { WhenCard } from './handset-when.js';

/** Where most calls go that a technician is asked about; any other zone is one choice away. */
const FIRST_ZONE = 'Europe/Istanbul';

/** One handset: what it does, how it is wired and registered, when it may call, what it did, and its tests. */
export function HandsetPage({ id, query }: { readonly id: string; readonly query: URLSearchParams }): JSX.Element {
  const { w } = useWords();
  const now = useStore(session);
  const view = useStore(liveSite, (site) => site?.handsets.find(({ handset }) => handset === id));
  // While it is not known what there is, a cutoff is offered all the same.
  const isUnknown = useStore(
    liveSite,
    (site) => site !== undefined && !site.handsets.some((one) => one.handset === id),
  );
  const heardMs = useStore(liveSite, (site) => site?.heardMs[id]);
  const lastCall = useStore(liveSite, (site) => site?.ended.find(({ handset }) => handset === id)?.call);
  const asked = useAsked<HandsetFacts>(`handsets/${encodeURIComponent(id)}`, `${lastCall} ${view?.registered}`);
  const zone = query.get('zone') ?? FIRST_ZONE;
  const target = { kind: 'handset', handset: id } as const;
  return (
    <Page
      title={w.handset.title(id)}
      back={
        <a href={hashOf()}>
          <Icon name="back" size={16} /> {w.handset.back}
        </a>
      }
      actions={
        <>
          {may(now, 'provision') && (
            <a class="button" href={hashOf('new-cell', id)}>
              {w.handset.provision}
            </a>
          )}
          {view !== undefined && may(now, 'configure') && <AbleButton view={view} />}
          {view !== undefined && may(now, 'configure') && <RemoveButton id={id} />}
          {view?.cut?.kind === 'handset' && may(now, 'release') && <ReleaseButton target={target} />}
          {may(now, 'cut') && !isUnknown && <CutButton target={target} />}
        </>
      }
    >
      <AskedPart asked={asked}>
        {(facts) => (
          <div class="columns columns-handset">
            <div class="column">
              <NowCard view={view ?? facts.view} heardMs={heardMs} />
              <WireCard facts={facts} view={view ?? facts.view} />
              <PhoneCard id={id} phone={facts.phone} again={asked.again} />
              <TestsCard id={id} />
            </div>
            <div class="column">
              <WhenCard id={id} onZone={(found) => setQuery({ zone: found })} />
              <WeekCard id={id} zone={zone} onZone={(chosen) => setQuery({ zone: chosen })} />
              <section class="card">
                <div class="card-head">
                  <h2>{w.handset.history}</h2>
                  {may(now, 'see-calls') && (
                    <a class="head-link" href={`${hashOf('calls')}?handset=${encodeURIComponent(id)}`}>
                      {w.handset.allCalls}
                    </a>
                  )}
                </div>
                <CallsTable calls={facts.lastCalls} isOfOne empty={w.calls.none} />
              </section>
            </div>
          </div>
        )}
      </AskedPart>
    </Page>
  );
}

function NowCard({ view, heardMs }: { readonly view: HandsetView; readonly heardMs: number | undefined }): JSX.Element {
  const { language, w } = useWords();
  const format = useFormat();
  const now = useStore(session);
  const state = stateOf(view);
  const call = view.call ?? view.refusedCall;
  return (
    <section class={`card now is-${state}`} aria-label={w.handset.now}>
      <div class="now-head">
        {state === 'talking' && view.leftS !== undefined ? (
          <Ring view={view} heardMs={heardMs} />
        ) : (
          <span class="tile-mark">
            <Icon name={state} size={28} />
          </span>
        )}
        <div>
          <p class="now-state">{w.states[state]}</p>
          {state === 'talking' && view.until !== undefined && <p>{w.board.until(format.time(view.until))}</p>}
        </div>
      </div>
      {view.work !== undefined && (
        <p class="now-why">
          <b>{view.work.person}</b>: {w.work[view.work.activity]} ({format.when(view.work.since)})
        </p>
      )}
      {view.cut !== undefined && (
        <p class="now-why">
          <b>{w.handset.cutOf[view.cut.kind]}</b>{' '}
          {w.handset.cutSince(
            format.when(view.cut.since),
            view.cut.until === undefined ? w.board.untilReleased : w.board.until(format.when(view.cut.until)),
          )}
          : {view.cut.reason}
        </p>
      )}
      {view.rule !== undefined && (
        <p class="now-why">
          {view.refusedAt !== undefined && `${w.handset.refusedAt(format.time(view.refusedAt))}: `}
          <b>{titleOfCode(w.rules, view.rule)}</b>
          {view.fact !== undefined && `: ${factIn(view, language)}`}
        </p>
      )}
      {view.fault !== undefined && (
        <Notice tone="warn">
          <span lang="en">{view.fault}</span>
        </Notice>
      )}
      {call !== undefined && may(now, 'see-calls') && (
        <a class="head-link" href={hashOf('calls', call)}>
          {w.handset.call}
        </a>
      )}
    </section>
  );
}

function WireCard({ facts, view }: { readonly facts: HandsetFacts; readonly view: HandsetView }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const { line, registration } = facts;
  return (
    <section class="card">
      <h2>{w.handset.line}</h2>
      <dl class="terms">
        <Term name={w.handset.hook}>{titleOfCode(w.handset.hooks, view.hook)}</Term>
        <Term name={w.handset.relay}>{titleOfCode(w.handset.relays, view.relay)}</Term>
        <Term name={w.handset.line}>
          {line === undefined ? w.handset.noLine : w.handset.lineAt(line.board, line.channel, line.hook)}
        </Term>
        <Term name={w.handset.registration}>
          {registration === undefined || !view.registered ? (
            w.handset.notRegistered
          ) : (
            <>
              {w.handset.registeredFrom(registration.address)}
              <br />
              {w.handset.since(format.when(registration.since))},{' '}
              {w.handset.expires(format.time(registration.expiresAt))}
              {registration.userAgent !== undefined && (
                <>
                  <br />
                  <span class="dim">{registration.userAgent}</span>
                </>
              )}
            </>
          )}
        </Term>
        <Term name={w.handset.wing}>{facts.wing}</Term>
        <Term name={w.handset.user}>{facts.user}</Term>
        <Term name={w.handset.profile}>{facts.profile}</Term>
        <Term name={w.handset.spoken}>{format.languageName(facts.language)}</Term>
      </dl>
    </section>
  );
}
