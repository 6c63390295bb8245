import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Right } from '../api/people.js';
import { CutButton } from './cutoff/cut-button.js';
import { contact, liveSite, tryNow } from './live.js';
import { Icon, type IconName } from './parts/icon.js';
import { hashOf, useRoute } from './router.js';
import { may, session } from './session.js';
import { useStore } from './store.js';
import { useSteadyMs } from './tick.js';
import { useFormat } from './use-format.js';
import { alarmText, titleOfCode } from './words/code-text.js';
import type { Words } from './words/en.js';
import { useWords } from './words/speak.js';

interface Way {
  readonly to: string;
  readonly icon: IconName;
  readonly name: keyof Words['nav'];
  readonly right: Right;
}

const WAYS: readonly Way[] = [
  { to: '', icon: 'board', name: 'board', right: 'see' },
  { to: 'calls', icon: 'calls', name: 'calls', right: 'see-calls' },
  { to: 'work', icon: 'work', name: 'work', right: 'see-calls' },
  { to: 'lines', icon: 'lines', name: 'lines', right: 'see' },
  { to: 'trunks', icon: 'trunks', name: 'trunks', right: 'see' },
  { to: 'uplink', icon: 'uplink', name: 'uplink', right: 'see' },
  { to: 'audit', icon: 'audit', name: 'audit', right: 'see-audit' },
  { to: 'people', icon: 'people', name: 'people', right: 'people' },
  { to: 'new-cell', icon: 'onboarding', name: 'onboarding', right: 'provision' },
];

/** What stands around every page of whoever is logged in: the ways, the site, the contact, and what has to be heard. */
export function Frame({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const { w } = useWords();
  const now = useStore(session);
  const route = useRoute();
  const isLost = useStore(contact, ({ is }) => is === 'lost');
  const room = route.path[0] ?? '';
  const here = room === 'handsets' ? '' : room;
  return (
    <div class={`frame ${isLost ? 'is-stale' : ''}`}>
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>('h1')?.focus()}>
        {w.skip}
      </button>
      <TopBar />
      <nav class="ways" aria-label={w.menu}>
        <ul>
          {WAYS.filter(({ right }) => may(now, right)).map(({ to, icon, name }) => (
            <li key={to}>
              <a href={to === '' ? hashOf() : hashOf(to)} aria-current={here === to ? 'page' : undefined}>
                <Icon name={icon} size={22} />
                <span>{w.nav[name]}</span>
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main id="content">
        <ContactBanner />
        {children}
      </main>
      <Heard />
    </div>
  );
}

function TopBar(): JSX.Element {
  const { w } = useWords();
  const site = useStore(liveSite);
  const state = useStore(contact, ({ is }) => is);
  const now = useStore(session);
  const format = useFormat();
  const nowMs = useSteadyMs(true);
  const troubles = site?.planes.filter((plane) => plane.state === 'down') ?? [];
  return (
    <header class="top">
      <a class="brand" href={hashOf()} aria-label={`Balise, ${w.nav.board}`}>
        <svg width="30" height="30" viewBox="0 0 32 32" aria-hidden="true">
          <rect class="brand-ground" width="32" height="32" rx="7" />
          <path class="brand-waves" d="M8 10.500a9 9 0 0 0 0 11M24 10.500a9 9 0 0 1 0 11M16 17v8" />
          <circle class="brand-light" cx="16" cy="14" r="3.400" />
        </svg>
        <span class="brand-name">Balise</span>
      </a>
      <div class="where">
        <span class="where-site">{site?.site ?? '…'}</span>
        <span class="where-gateway">{site?.gateway}</span>
      </div>
      <div class="signs">
        <span class={`sign sign-${state}`}>
          <span class="dot" aria-hidden="true" />
          {w.contact[state]}
        </span>
        {site !== undefined && !site.clockTrusted && (
          <span class="sign sign-lost">
            <Icon name="clock" size={16} /> {w.board.clockBad}
          </span>
        )}
        {troubles.map(({ name }) => (
          <span key={name} class="sign sign-lost">
            <Icon name="fault" size={16} /> {w.board.plane(titleOfCode(w.planes, name), w.board.planeStates.down)}
          </span>
        ))}
      </div>
      {site !== undefined && (
        <time class="top-clock" key={Math.floor(nowMs / 1000)}>
          {format.time(new Date())} <span class="top-zone">{format.city(site.zone)}</span>
        </time>
      )}
      {may(now, 'cut') && <CutButton target={{ kind: 'site' }} />}
      {now.is === 'open' && (
        <a class="me" href={hashOf('account')}>
          <Icon name="account" />
          <span class="me-name">{now.view.person.name}</span>
          <span class="me-role">{w.roles[now.view.person.role]}</span>
        </a>
      )}
    </header>
  );
}

/** Says that what is seen is old, since when, and when the page tries again. */
function ContactBanner(): JSX.Element | null {
  const { w } = useWords();
  const state = useStore(contact);
  const format = useFormat();
  const nowMs = useSteadyMs(state.is === 'lost');
  if (state.is !== 'lost') return null;
  const seconds = Math.max(0, Math.ceil((state.triesAgainMs - nowMs) / 1000));
  return (
    <div class="lost-banner">
      <Icon name="away" />
      <p>
        {w.contact.banner(format.time(state.since))} <span class="lost-again">{w.contact.again(seconds)}</span>
      </p>
      <button type="button" class="button" onClick={tryNow}>
        {w.contact.now}
      </button>
    </div>
  );
}

/** What a screen reader says without being asked: new alarms, and the contact lost and found. Politely: it waits for a pause. */
function Heard(): JSX.Element {
  const { language, w } = useWords();
  const alarms = useStore(liveSite, (site) => site?.alarms);
  const state = useStore(contact, ({ is }) => is);
  const [said, setSaid] = useState('');
  const lastAlarm = useRef<string | undefined>(undefined);
  const wasLost = useRef(false);
  useEffect(() => {
    const newest = alarms?.[0];
    const key = newest === undefined ? '' : `${newest.at} ${newest.code}`;
    if (alarms !== undefined && lastAlarm.current !== undefined && lastAlarm.current !== key && newest !== undefined) {
      setSaid(`${titleOfCode(w.alarms, newest.code)}: ${alarmText(w.alarmSaid, newest, language).sentence}`);
    }
    if (alarms !== undefined) lastAlarm.current = key;
  }, [alarms]);
  useEffect(() => {
    if (state === 'lost' && !wasLost.current) setSaid(w.contact.lost);
    if (state === 'live' && wasLost.current) setSaid(w.contact.back);
    if (state !== 'opening') wasLost.current = state === 'lost';
  }, [state]);
  return (
    <div class="unseen" aria-live="polite" aria-atomic="true">
      {said}
    </div>
  );
}
