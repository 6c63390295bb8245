import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { CallView } from '../../api/calls.js';
import { clockLength } from '../format.js';
import { liveSite } from '../live.js';
import { AskedPart } from '../parts/asked.js';
import { Term } from '../parts/field.js';
import { Icon } from '../parts/icon.js';
import { JudgementTable } from '../parts/judgement-table.js';
import { Nothing } from '../parts/notice.js';
import { Page } from '../parts/page.js';
import { hashOf } from '../router.js';
import { useStore } from '../store.js';
import { useSteadyMs } from '../tick.js';
import { useAsked } from '../use-asked.js';
import { useFormat } from '../use-format.js';
import { titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';
import { ListenCard } from './call-listen.js';
import { Quality, Silences } from './call-quality.js';

const ASK_MS = 2_000;
/** What an order achieved is reported after the calls that it ended: that long a call is asked for beyond its end. */
const SETTLE_MS = 5_000;

/** One call or refusal in full: why, when, by whom, how each plane ended it, how it sounded. */
export function CallPage({ id }: { readonly id: string }): JSX.Element {
  const { w } = useWords();
  // A call that is up is asked for again at each of its turns.
  const phase = useStore(liveSite, (site) => site?.handsets.find(({ call }) => call === id)?.phase);
  const [isMoving, setMoving] = useState(false);
  // While it is up its quality is asked for every two seconds; a call that ended a while ago stays as it is.
  const turn = Math.floor(useSteadyMs(isMoving) / ASK_MS);
  const asked = useAsked<CallView>(`calls/${encodeURIComponent(id)}`, `${phase} ${isMoving ? turn : ''}`);
  const view = asked.is === 'got' ? asked.value : undefined;
  const isUp = view !== undefined && view.cause === undefined;
  useEffect(() => {
    if (isUp) {
      setMoving(true);
      return undefined;
    }
    const settled = setTimeout(() => setMoving(false), SETTLE_MS);
    return () => clearTimeout(settled);
  }, [isUp]);
  const title =
    view === undefined
      ? w.calls.title
      : view.cause === 'refused'
        ? w.call.refusalTitle(view.handset)
        : w.call.title(view.handset);
  return (
    <Page
      title={title}
      back={
        <a href={hashOf('calls')}>
          <Icon name="back" size={16} /> {w.call.back}
        </a>
      }
    >
      <AskedPart asked={asked}>{(call) => <Whole call={call} />}</AskedPart>
    </Page>
  );
}

function Whole({ call }: { readonly call: CallView }): JSX.Element {
  const { w } = useWords();
  const isUp = call.cause === undefined;
  // Single judgements are kept of refusals; of a call that was granted, what bounds it is what there is to know.
  const hasRules = call.why !== undefined || call.cause === 'refused';
  return (
    <div class="columns columns-call">
      <div class="column">
        <Verdict call={call} />
        {isUp && <ListenCard id={call.call} />}
        {call.granted !== undefined && <Granted granted={call.granted} />}
        {hasRules && (
          <section class="card">
            <h2>{w.call.rules}</h2>
            {call.why === undefined ? <Nothing>{w.call.notKept}</Nothing> : <JudgementTable why={call.why} />}
          </section>
        )}
      </div>
      <div class="column">
        <Times call={call} />
        <Silences call={call} />
        {call.planes !== undefined && Object.keys(call.planes).length > 0 && <Planes planes={call.planes} />}
        {call.quality !== undefined && <Quality quality={call.quality} isUp={isUp} />}
        {call.steps !== undefined && call.steps.length > 0 && <Steps steps={call.steps} />}
      </div>
    </div>
  );
}

function Verdict({ call }: { readonly call: CallView }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const tone = call.cause === 'refused' ? 'is-refused' : call.cause === 'cutoff' ? 'is-cut' : '';
  return (
    <section class={`card verdict ${tone}`} aria-label={w.call.why}>
      <p class="verdict-cause">{call.cause === undefined ? w.call.isUp : titleOfCode(w.causes, call.cause)}</p>
      {call.rule !== undefined && (
        <p class="verdict-rule">
          {titleOfCode(w.rules, call.rule)} <code>{call.rule}</code>
        </p>
      )}
      {call.fact !== undefined && <p>{call.fact}</p>}
      {call.nextAllowed !== undefined && (
        <p>
          {w.call.next}: <b>{format.dayMinute(call.nextAllowed)}</b>
        </p>
      )}
      {call.cutBy !== undefined && (
        <p>
          {w.call.cutBy} <b>{call.cutBy.by.replace(/^console:/, '')}</b>, {format.when(call.cutBy.at)}:{' '}
          {call.cutBy.reason}
        </p>
      )}
      {call.cutoffErrorMs !== undefined && (
        <p>
          {w.call.error}{' '}
          {call.cutoffErrorMs < 0
            ? w.call.errorBefore(format.ms(-call.cutoffErrorMs))
            : w.call.errorAfter(format.ms(call.cutoffErrorMs))}
          .
        </p>
      )}
    </section>
  );
}

function Times({ call }: { readonly call: CallView }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const rows: readonly (readonly [string, string | undefined])[] = [
    [w.call.asked, call.requestedAt],
    [w.call.answered, call.answeredAt],
    [w.call.deadline, call.deadline],
    [w.call.ended, call.endedAt],
  ];
  return (
    <section class="card">
      <h2>{w.call.times}</h2>
      <dl class="terms">
        {rows.map(
          ([name, at]) =>
            at !== undefined && (
              <Term key={name} name={name}>
                {format.exact(at)}
              </Term>
            ),
        )}
        {call.talkS !== undefined && call.talkS > 0 && <Term name={w.call.talk}>{clockLength(call.talkS)}</Term>}
        {call.cause === undefined && <Term name={w.call.state}>{titleOfCode(w.steps.states, call.state)}</Term>}
        {call.wing !== undefined && <Term name={w.call.wing}>{call.wing}</Term>}
        {call.listeners !== undefined && <Term name={w.call.listeners}>{call.listeners.join(', ')}</Term>}
        {call.person !== undefined && <Term name={w.call.person}>{call.person}</Term>}
        {call.trunk !== undefined && <Term name={w.call.trunk}>{call.trunk}</Term>}
        {call.sipStatus !== undefined && <Term name={w.call.sip}>{call.sipStatus}</Term>}
        <Term name={w.call.id}>
          <code class="long">{call.call}</code>
        </Term>
      </dl>
    </section>
  );
}

function Granted({ granted }: { readonly granted: NonNullable<CallView['granted']> }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const by = (rule: string) => w.call.grantedBy(titleOfCode(w.endsBy, rule));
  return (
    <section class="card">
      <h2>{w.call.granted}</h2>
      <dl class="terms">
        <Term name={w.call.notAfter}>
          {format.dayMinute(granted.notAfter)}, {by(granted.notAfterBy)}
        </Term>
        <Term name={w.call.atMost}>
          {clockLength(granted.maxTalkS)}, {by(granted.maxTalkBy)}
        </Term>
        {granted.calleeZones.length > 0 && <Term name={w.call.zones}>{granted.calleeZones.join(', ')}</Term>}
      </dl>
    </section>
  );
}

function Planes({ planes }: { readonly planes: NonNullable<CallView['planes']> }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  return (
    <section class="card">
      <h2>{w.call.planes}</h2>
      <dl class="terms">
        {Object.entries(planes).map(([name, { confirmed, afterMs }]) => (
          <Term key={name} name={titleOfCode(w.planes, name)}>
            {confirmed ? w.call.confirmed(format.ms(afterMs)) : <b class="bad">{w.call.unconfirmed}</b>}
          </Term>
        ))}
      </dl>
    </section>
  );
}

function Steps({ steps }: { readonly steps: NonNullable<CallView['steps']> }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  return (
    <section class="card">
      <h2>{w.call.steps}</h2>
      <ol class="steps-list">
        {steps.map(({ atMs, what, state }) => (
          <li key={`${atMs} ${what} ${state}`}>
            <span class="number">{atMs < 10_000 ? format.ms(atMs) : clockLength(atMs / 1000)}</span>
            <span>{titleOfCode(w.steps.events, what)}</span>
            <span class="dim">{titleOfCode(w.steps.states, state)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
