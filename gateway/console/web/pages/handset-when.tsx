import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { WhenView } from '../../api/hours.js';
import { ask } from '../ask.js';
import type { Format } from '../format.js';
import { Choose, Field } from '../parts/field.js';
import { JudgementTable } from '../parts/judgement-table.js';
import { FaultNotice, Notice } from '../parts/notice.js';
import { useOrder } from '../use-asked.js';
import { useFormat } from '../use-format.js';
import { titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';

/** ISO 3166-1, by its two letters. */
const COUNTRIES =
  'AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW'.split(
    ' ',
  );

/** "When can it call Ankara?": by a number or a country, judged as the call would be. */
export function WhenCard({
  id,
  onZone,
}: {
  readonly id: string;
  /** The callee's zone, so that the week beside it shows it too. */
  readonly onZone: (zone: string) => void;
}): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const [number, setNumber] = useState('');
  const [country, setCountry] = useState('');
  const order = useOrder<WhenView>();
  const countries = useMemo(
    () =>
      COUNTRIES.map((value) => ({ value, text: format.country(value) })).sort((a, b) =>
        a.text.localeCompare(b.text, format.language),
      ),
    [format.language],
  );
  const act = async (event: Event) => {
    event.preventDefault();
    const asked = number.trim() === '' ? `country=${country}` : `number=${encodeURIComponent(number.trim())}`;
    const said = await order.run(() => ask<WhenView>(`handsets/${encodeURIComponent(id)}/when?${asked}`));
    const zone = said?.zones?.[0];
    if (zone !== undefined) onZone(zone);
  };
  return (
    <section class="card">
      <h2>{w.handset.when}</h2>
      <form class="when-form" onSubmit={act}>
        <Field
          label={w.handset.whenNumber}
          type="tel"
          value={number}
          onValue={(value) => {
            setNumber(value);
            setCountry('');
          }}
          maxLength={32}
        />
        <Choose
          label={w.handset.whenCountry}
          value={country}
          onValue={(value) => {
            setCountry(value);
            setNumber('');
          }}
          choices={[{ value: '', text: w.handset.whenAny }, ...countries]}
        />
        <button
          type="submit"
          class="button button-main"
          disabled={order.isBusy || (number.trim() === '' && country === '')}
        >
          {w.handset.whenAct}
        </button>
      </form>
      <p class="hint">{w.handset.whenHint}</p>
      {order.fault !== undefined && <FaultNotice fault={order.fault} />}
      {order.value !== undefined && <Answer said={order.value} format={format} />}
    </section>
  );
}

function Answer({ said, format }: { readonly said: WhenView; readonly format: Format }): JSX.Element {
  const { w } = useWords();
  const zone = said.zones?.[0];
  const there = (at: string) =>
    zone === undefined || zone === format.zone
      ? ''
      : w.handset.thereIs(
          format.day(at, zone) === format.day(at) ? format.minute(at, zone) : format.dayMinute(at, zone),
          format.city(zone),
        );
  const by = said.endsBy === undefined ? '' : w.handset.by(titleOfCode(w.endsBy, said.endsBy));
  return (
    <div class="when-answer">
      {said.allowedNow ? (
        <Notice tone="good">
          <p>
            <b>{w.handset.whenYes}</b>
          </p>
          {said.notAfter !== undefined && (
            <p>{w.handset.whenUntil(format.dayMinute(said.notAfter), there(said.notAfter), by)}</p>
          )}
        </Notice>
      ) : (
        <Notice tone="warn">
          <p>
            <b>{w.handset.whenNo}</b> {said.rule !== undefined && titleOfCode(w.rules, said.rule)}
            {said.fact !== undefined && `: ${said.fact}`}
          </p>
          <p>
            {said.nextAllowed === undefined
              ? w.handset.whenNever
              : w.handset.whenNext(format.dayMinute(said.nextAllowed), there(said.nextAllowed))}
          </p>
        </Notice>
      )}
      {said.why.length > 0 && (
        <details>
          <summary>{w.handset.whenRules}</summary>
          <JudgementTable why={said.why} />
        </details>
      )}
    </div>
  );
}
