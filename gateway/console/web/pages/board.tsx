import type { JSX } from 'preact';
import { CutButton, ReleaseButton } from '../cutoff/cut-button.js';
import { byWing, countStates, type HandsetState, liveCalls, STATES, stateOf } from '../handset-state.js';
import { liveSite } from '../live.js';
import type { LiveSite } from '../live-site.js';
import { Choose, Field } from '../parts/field.js';
import { Icon } from '../parts/icon.js';
import { Nothing } from '../parts/notice.js';
import { Page } from '../parts/page.js';
import { setQuery } from '../router.js';
import { may, session } from '../session.js';
import { useStore } from '../store.js';
import { useFormat } from '../use-format.js';
import { useWords } from '../words/speak.js';
import { Attention } from './board-attention.js';
import { Tile } from './board-tile.js';

/** The live board: every handset of the site, by wings, with what it does now. */
export function BoardPage({ query }: { readonly query: URLSearchParams }): JSX.Element {
  const { w } = useWords();
  const site = useStore(liveSite);
  return (
    <Page title={w.board.title}>
      {site === undefined ? (
        <div class="asking" role="status">
          <span class="unseen">{w.loading}</span>
          <span class="bone" />
          <span class="bone" />
        </div>
      ) : (
        <Whole site={site} query={query} />
      )}
    </Page>
  );
}

function Whole({ site, query }: { readonly site: LiveSite; readonly query: URLSearchParams }): JSX.Element {
  const { w } = useWords();
  const search = query.get('find') ?? '';
  const wing = query.get('wing') ?? '';
  const state = STATES.find((one) => one === query.get('state'));
  const wanted = search.trim().toLowerCase();
  const inWing = site.handsets.filter((view) => wing === '' || view.wing === wing);
  const wings = byWing(
    site,
    (view) =>
      (wing === '' || view.wing === wing) &&
      (state === undefined || stateOf(view) === state) &&
      (wanted === '' || view.handset.toLowerCase().includes(wanted)),
  ).filter(({ shown }) => shown.length > 0);
  const shown = wings.reduce((sum, one) => sum + one.shown.length, 0);
  return (
    <>
      <SiteCut site={site} />
      <Counts counts={countStates(inWing)} all={inWing.length} chosen={state} />
      <div class="board">
        <Attention site={site} />
        <div class="board-wings">
          {site.handsets.length === 0 && <Nothing>{w.board.noHandsets}</Nothing>}
          {site.handsets.length > 0 && (
            <search class="board-filter">
              <Field
                label={w.board.search}
                type="search"
                value={search}
                onValue={(find) => setQuery({ find })}
                placeholder={site.handsets[0]?.handset ?? ''}
              />
              {site.wings.length > 1 && (
                <Choose
                  label={w.board.wing}
                  value={wing}
                  onValue={(value) => setQuery({ wing: value })}
                  choices={[
                    { value: '', text: w.board.allWings },
                    ...site.wings.map((one) => ({ value: one.wing, text: w.board.wingName(one.wing) })),
                  ]}
                />
              )}
              <p class="board-shown" role="status">
                {w.board.shown(shown, site.handsets.length)}
              </p>
            </search>
          )}
          {shown === 0 && site.handsets.length > 0 && (
            <div class="nothing">
              <p>{w.board.noMatch}</p>
              <button type="button" class="button" onClick={() => setQuery({ find: '', wing: '', state: '' })}>
                {w.board.clear}
              </button>
            </div>
          )}
          {wings.map((one) => (
            <Wing key={one.wing} site={site} {...one} />
          ))}
        </div>
      </div>
    </>
  );
}

function Counts(parts: {
  readonly counts: ReadonlyMap<HandsetState, number>;
  readonly all: number;
  readonly chosen: HandsetState | undefined;
}): JSX.Element {
  const { w } = useWords();
  const { counts, all, chosen } = parts;
  // What does not happen is left out, but for the four that a technician looks for every time.
  const shown = STATES.filter(
    (one) =>
      (counts.get(one) ?? 0) > 0 || one === chosen || ['talking', 'refused', 'off-hook', 'on-hook'].includes(one),
  );
  return (
    <fieldset class="counts">
      <legend class="unseen">{w.board.counts}</legend>
      <button type="button" class="count" aria-pressed={chosen === undefined} onClick={() => setQuery({ state: '' })}>
        <b>{all}</b> <span>{w.board.all}</span>
      </button>
      {shown.map((one) => (
        <button
          key={one}
          type="button"
          class={`count is-${one} ${counts.get(one) === undefined ? 'count-none' : ''}`}
          aria-pressed={chosen === one}
          onClick={() => setQuery({ state: chosen === one ? '' : one })}
        >
          <Icon name={one} size={18} />
          <b>{counts.get(one) ?? 0}</b> <span>{w.states[one]}</span>
        </button>
      ))}
    </fieldset>
  );
}

function SiteCut({ site }: { readonly site: LiveSite }): JSX.Element | null {
  const { w } = useWords();
  const format = useFormat();
  const now = useStore(session);
  if (site.cut === undefined) return null;
  const { since, until, reason } = site.cut;
  return (
    <div class="notice notice-bad site-cut" role="status">
      <Icon name="cut" />
      <p>
        <b>{w.board.siteCut}</b>, {w.board.sinceBy(format.when(since), reason)} (
        {until === undefined ? w.board.untilReleased : w.board.until(format.when(until))})
      </p>
      {may(now, 'release') && <ReleaseButton target={{ kind: 'site' }} />}
    </div>
  );
}

function Wing(parts: {
  readonly site: LiveSite;
  readonly wing: string;
  readonly handsets: LiveSite['handsets'];
  readonly shown: LiveSite['handsets'];
}): JSX.Element {
  const { w } = useWords();
  const now = useStore(session);
  const { site, wing, handsets, shown } = parts;
  const cut = site.wings.find((one) => one.wing === wing)?.cut;
  const target = { kind: 'wing', wing } as const;
  return (
    <section class="wing" aria-label={w.board.wingName(wing)}>
      <div class="wing-head">
        <h2>{w.board.wingName(wing)}</h2>
        <p>{w.board.wingSummary(handsets.length, liveCalls(handsets))}</p>
        {cut?.kind === 'wing' && <span class="badge is-cut">{w.board.wingCut}</span>}
        <div class="wing-acts">
          {cut?.kind === 'wing' && may(now, 'release') && <ReleaseButton target={target} />}
          {may(now, 'cut') && <CutButton target={target} />}
        </div>
      </div>
      <ul class="tiles">
        {shown.map((view) => (
          <Tile key={view.handset} view={view} heardMs={site.heardMs[view.handset]} />
        ))}
      </ul>
    </section>
  );
}
