import type { JSX } from 'preact';
import { Frame } from './frame.js';
import { AccountPage } from './pages/account.js';
import { AuditPage } from './pages/audit.js';
import { BoardPage } from './pages/board.js';
import { CallPage } from './pages/call.js';
import { CallsPage } from './pages/calls.js';
import { HandsetPage } from './pages/handset.js';
import { LinesPage } from './pages/lines.js';
import { FirstPersonPage, LogInPage, NoPeoplePage, UnreachablePage } from './pages/log-in.js';
import { OnboardingPage } from './pages/onboarding.js';
import { PeoplePage } from './pages/people.js';
import { TrunksPage } from './pages/trunks.js';
import { UplinkPage } from './pages/uplink.js';
import { WorkPage } from './pages/work.js';
import { Page } from './parts/page.js';
import { hashOf, type Route, useRoute } from './router.js';
import { session } from './session.js';
import { useStore } from './store.js';
import { useWords } from './words/speak.js';

/** The whole page: who is at it decides whether it is the door or the house. */
export function App(): JSX.Element {
  const now = useStore(session);
  const route = useRoute();
  if (now.is === 'open') {
    return (
      <Frame>
        <Room key={route.path.join('/')} route={route} />
      </Frame>
    );
  }
  // The one-time link goes before all else: whoever holds it has no session to be asked for.
  if (route.path[0] === 'first') return <FirstPersonPage token={route.query.get('token') ?? ''} />;
  if (now.is === 'unknown') return <div class="door" aria-busy="true" />;
  if (now.is === 'no-people') return <NoPeoplePage />;
  if (now.is === 'unreachable') return <UnreachablePage />;
  return <LogInPage isOver={now.over} />;
}

/** The page of a route. A new path is a new page, with nothing left of the one before. */
function Room({ route }: { readonly route: Route }): JSX.Element {
  const [room, id] = route.path;
  switch (room) {
    case undefined:
    case 'first':
      return <BoardPage query={route.query} />;
    case 'handsets':
      return id === undefined ? <NotFoundPage /> : <HandsetPage id={id} query={route.query} />;
    case 'calls':
      return id === undefined ? <CallsPage query={route.query} /> : <CallPage id={id} />;
    case 'lines':
      return <LinesPage />;
    case 'trunks':
      return <TrunksPage />;
    case 'work':
      return <WorkPage query={route.query} />;
    case 'uplink':
      return <UplinkPage />;
    case 'audit':
      return <AuditPage />;
    case 'people':
      return <PeoplePage />;
    case 'account':
      return <AccountPage />;
    case 'new-cell':
      return <OnboardingPage query={route.query} {...(id === undefined ? {} : { id })} />;
    default:
      return <NotFoundPage />;
  }
}

function NotFoundPage(): JSX.Element {
  const { w } = useWords();
  return (
    <Page title={w.notFound}>
      <a class="button" href={hashOf()}>
        {w.toBoard}
      </a>
    </Page>
  );
}
