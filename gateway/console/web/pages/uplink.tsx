import type { JSX } from 'preact';
import type { UplinkView } from '../../api/parts.js';
import type { StatusView } from '../../api/site.js';
import { liveSite } from '../live.js';
import { AskedPart } from '../parts/asked.js';
import { Term } from '../parts/field.js';
import { Notice } from '../parts/notice.js';
import { Page } from '../parts/page.js';
import { useStore } from '../store.js';
import { useAsked } from '../use-asked.js';
import { useFormat } from '../use-format.js';
import { titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';

const MB = 1024 * 1024;

/** The uplink to headquarters, what waits for it, and how the gateway itself does. */
export function UplinkPage(): JSX.Element {
  const { w } = useWords();
  const uplink = useStore(liveSite, (site) => site?.uplink);
  const turn = useStore(liveSite, (site) => `${site?.ended[0]?.call} ${site?.planes.map(({ state }) => state).join()}`);
  const asked = useAsked<StatusView>('status', turn);
  return (
    <Page title={w.uplink.title}>
      <div class="columns">
        {uplink !== undefined && <Uplink uplink={uplink} />}
        <section class="card">
          <h2>{w.uplink.status}</h2>
          <AskedPart asked={asked}>{(status) => <Status status={status} />}</AskedPart>
        </section>
      </div>
    </Page>
  );
}

function Uplink({ uplink }: { readonly uplink: UplinkView }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  if (!uplink.configured) {
    return (
      <section class="card">
        <h2>{w.nav.uplink}</h2>
        <Notice tone="plain">{w.uplink.off}</Notice>
      </section>
    );
  }
  return (
    <section class="card">
      <h2>{w.nav.uplink}</h2>
      {uplink.connected ? (
        <Notice tone="good">{w.uplink.connected}</Notice>
      ) : (
        <Notice tone="warn">
          <p>{w.uplink.lost}</p>
          <p>{w.uplink.lostHint}</p>
        </Notice>
      )}
      <dl class="terms">
        {uplink.broker !== undefined && (
          <Term name={w.uplink.broker}>
            <code class="long">{uplink.broker}</code>
          </Term>
        )}
        <Term name={w.uplink.waiting}>{w.uplink.events(format.number(uplink.waiting))}</Term>
        <Term name={w.uplink.sequence}>{format.number(uplink.lastSequence)}</Term>
      </dl>
    </section>
  );
}

function Status({ status }: { readonly status: StatusView }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const { disk, policy } = status;
  const mb = (bytes: number) => format.number(bytes / MB, bytes < 10 * MB ? 1 : 0);
  return (
    <>
      {status.troubles.length === 0 ? (
        <Notice tone="good">{w.uplink.noTroubles}</Notice>
      ) : (
        <Notice tone="warn">
          <p>{w.uplink.troubles}</p>
          <ul>
            {status.troubles.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </Notice>
      )}
      <dl class="terms">
        <Term name={w.uplink.version}>{status.version}</Term>
        <Term name={w.uplink.started}>{format.when(status.startedAt)}</Term>
        {status.planes.map(({ name, state, detail }) => (
          <Term key={name} name={titleOfCode(w.planes, name)}>
            <span class={state === 'up' ? '' : 'bad'}>{w.board.planeStates[state]}</span>
            {detail !== '' && <span class="dim"> {detail}</span>}
          </Term>
        ))}
        <Term name={w.uplink.disk}>
          <span class={disk.hasRoom ? '' : 'bad'}>
            {w.uplink.diskUse(mb(disk.usedBytes), mb(disk.limitBytes), mb(disk.freeBytes))}
          </span>
        </Term>
        <Term name={w.uplink.policy}>
          {w.uplink.policyOf[policy.source]}
          {policy.version !== undefined && ` ${policy.version}`}, {titleOfCode(w.uplink.policyStates, policy.state)}
        </Term>
      </dl>
    </>
  );
}
