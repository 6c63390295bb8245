import type { JSX } from 'preact';
import type { TrunkView } from '../../api/parts.js';
import { liveSite } from '../live.js';
import { AskedPart } from '../parts/asked.js';
import { Nothing } from '../parts/notice.js';
import { Page } from '../parts/page.js';
import { useStore } from '../store.js';
import { useAsked } from '../use-asked.js';
import { useFormat } from '../use-format.js';
import { useWords } from '../words/speak.js';

/** The trunks to the carrier, and how their calls did. */
export function TrunksPage(): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const turn = useStore(
    liveSite,
    (site) => `${site?.ended[0]?.call} ${site?.handsets.map(({ phase }) => phase).join()}`,
  );
  const asked = useAsked<{ readonly trunks: readonly TrunkView[] }>('trunks', turn);
  return (
    <Page title={w.trunks.title}>
      <section class="card card-table" aria-label={w.trunks.title}>
        <AskedPart asked={asked}>
          {({ trunks }) =>
            trunks.length === 0 ? (
              <Nothing>{w.trunks.empty}</Nothing>
            ) : (
              <>
                <div class="table-scroll">
                  <table>
                    <thead>
                      <tr>
                        <th scope="col">{w.nav.trunks}</th>
                        <th scope="col">{w.trunks.address}</th>
                        {[w.trunks.attempts, w.trunks.answered, w.trunks.failed].map((name) => (
                          <th key={name} scope="col" class="number">
                            {name}
                          </th>
                        ))}
                        <th scope="col">{w.trunks.lastFailure}</th>
                      </tr>
                    </thead>
                    <tbody>
                      {trunks.map((one) => (
                        <tr key={one.trunk}>
                          <th scope="row">{one.trunk}</th>
                          <td>
                            {one.address} <span class="dim">{one.transport}</span>
                          </td>
                          <td class="number">{format.number(one.attempts)}</td>
                          <td class="number">{format.number(one.answered)}</td>
                          <td class="number">{format.number(one.failed)}</td>
                          <td>
                            {one.lastFailure === undefined
                              ? w.trunks.never
                              : `${one.lastFailure.sipStatus}, ${format.when(one.lastFailure.at)}`}
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
                <p class="hint">{w.trunks.since}</p>
              </>
            )
          }
        </AskedPart>
      </section>
    </Page>
  );
}
