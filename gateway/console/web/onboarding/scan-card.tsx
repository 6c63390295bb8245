import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { PortView, ScanOrder, ScanPlace, ScanView } from '../../api/board-scan.js';
import { ask } from '../ask.js';
import { liveSite } from '../live.js';
import { Choose, Field } from '../parts/field.js';
import { FaultNotice } from '../parts/notice.js';
import { useStore } from '../store.js';
import { useAsked, useOrder } from '../use-asked.js';
import { useWords } from '../words/speak.js';
import { ScanResult } from './scan-result.js';

const BAUDS = ['9600', '19200', '38400', '57600', '115200'];
const PARITIES = ['none', 'even', 'odd'] as const;
const [TCP, OTHER] = ['tcp', 'other'];

/** Where to look, as it is being typed. */
interface PlaceText {
  readonly port: string;
  readonly path: string;
  readonly host: string;
  readonly tcpPort: string;
  readonly baud: string;
  readonly parity: (typeof PARITIES)[number];
  readonly stopBits: string;
}

const AT_FIRST: PlaceText = {
  ...{ port: '', path: '', host: '', tcpPort: '' },
  ...{ baud: '9600', parity: 'none', stopBits: '1' },
};

function placeOf({ port, path, host, tcpPort, baud, parity, stopBits }: PlaceText): ScanPlace {
  if (port === TCP) return { kind: 'rtu-over-tcp', host: host.trim(), port: Number(tcpPort) };
  const chosen = port === OTHER ? path.trim() : port;
  return { kind: 'serial', path: chosen, baud: Number(baud), parity, stopBits: stopBits === '2' ? 2 : 1 };
}

/** The very beginning of the walk: boards that the site does not know yet are looked for on a port. */
export function ScanCard(): JSX.Element {
  const { w } = useWords();
  const scan = useStore(liveSite, (site) => site?.scan);
  const asked = useAsked<{ readonly ports: readonly PortView[] }>('ports', scan?.state);
  const ports = asked.is === 'got' ? asked.value.ports : [];
  const free = ports.find(({ agent }) => agent === undefined);
  const [text, setText] = useState(AT_FIRST);
  const [from, setFrom] = useState('1');
  const [to, setTo] = useState('16');
  const order = useOrder<ScanView>();
  const place = { ...text, port: text.port || (free?.path ?? TCP) };
  const change = (part: Partial<PlaceText>) => setText({ ...place, ...part });
  const isRunning = scan?.state === 'running';
  const begin = (event: Event) => {
    event.preventDefault();
    const body: ScanOrder = { place: placeOf(place), from: Number(from), to: Number(to) };
    void order.run(() => ask<ScanView>('boards/scan', 'POST', body));
  };
  return (
    <section class="card">
      <h2>{w.onboarding.scan.title}</h2>
      <p class="hint">{w.onboarding.scan.lead}</p>
      <form onSubmit={begin}>
        <Choose
          label={w.onboarding.scan.port}
          value={place.port}
          onValue={(port) => change({ port })}
          choices={[
            ...ports.map(({ path, agent }) => ({
              value: path,
              text: agent === undefined ? path : w.onboarding.scan.heldBy(path, agent),
            })),
            { value: TCP, text: w.onboarding.scan.tcp },
            { value: OTHER, text: w.onboarding.scan.other },
          ]}
        />
        {asked.is === 'failed' && <FaultNotice fault={asked.fault} again={asked.again} />}
        {place.port === TCP ? (
          <TcpFields place={place} change={change} />
        ) : (
          <SerialFields place={place} change={change} />
        )}
        <div class="pair">
          <Field
            label={w.onboarding.scan.from}
            value={from}
            onValue={setFrom}
            pattern="[0-9]{1,3}"
            isRequired
            maxLength={3}
          />
          <Field
            label={w.onboarding.scan.to}
            hint={w.onboarding.scan.unitsHint}
            value={to}
            onValue={setTo}
            pattern="[0-9]{1,3}"
            isRequired
            maxLength={3}
          />
        </div>
        {order.fault !== undefined && <FaultNotice fault={order.fault} />}
        <button type="submit" class="button" disabled={order.isBusy || isRunning}>
          {isRunning ? w.onboarding.scan.asking(scan.unit, scan.to) : w.onboarding.scan.act}
        </button>
      </form>
      {scan !== undefined && <ScanResult scan={scan} />}
    </section>
  );
}

interface PlaceParts {
  readonly place: PlaceText;
  readonly change: (part: Partial<PlaceText>) => void;
}

function TcpFields({ place, change }: PlaceParts): JSX.Element {
  const { w } = useWords();
  return (
    <div class="pair">
      <Field
        label={w.onboarding.scan.host}
        value={place.host}
        onValue={(host) => change({ host })}
        isRequired
        maxLength={253}
      />
      <Field
        label={w.onboarding.scan.tcpPort}
        value={place.tcpPort}
        onValue={(tcpPort) => change({ tcpPort })}
        pattern="[0-9]{1,5}"
        isRequired
        maxLength={5}
      />
    </div>
  );
}

function SerialFields({ place, change }: PlaceParts): JSX.Element {
  const { w } = useWords();
  const words = w.onboarding.scan;
  return (
    <>
      {place.port === OTHER && (
        <Field
          label={words.path}
          hint={words.pathHint}
          value={place.path}
          onValue={(path) => change({ path })}
          pattern="/dev/.+"
          isRequired
          maxLength={204}
        />
      )}
      <div class="pair">
        <Choose
          label={words.baud}
          value={place.baud}
          onValue={(baud) => change({ baud })}
          choices={BAUDS.map((value) => ({ value, text: value }))}
        />
        <Choose
          label={words.parity}
          value={place.parity}
          onValue={(value) => change({ parity: PARITIES.find((one) => one === value) ?? 'none' })}
          choices={PARITIES.map((value) => ({ value, text: words.parities[value] }))}
        />
        <Choose
          label={words.stopBits}
          value={place.stopBits}
          onValue={(stopBits) => change({ stopBits })}
          choices={['1', '2'].map((value) => ({ value, text: value }))}
        />
      </div>
    </>
  );
}
