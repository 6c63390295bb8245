/** The site that is measured: 600 handsets, 10,000 sanctioned numbers, uplink to a broker, one board. */
import { randomBytes } from 'node:crypto';
import { handset, type JsonObject, passwordOf, profile, writeSite } from '../peers/site.js';
import { handsetLine } from './scenario.js';

/** Blocks of a thousand numbers that the United Kingdom's regulator keeps for fiction, without their last three digits. */
const FICTION = [
  '+441134960',
  '+441144960',
  '+442079460',
  '+441164960',
  '+441174960',
  '+441184960',
  '+441214960',
  '+441314960',
  '+441414960',
  '+441514960',
];

/** The 10,000 numbers that the site sanctions. */
export const NUMBERS: readonly string[] = FICTION.flatMap((block) =>
  Array.from({ length: 1_000 }, (_, at) => `${block}${String(at).padStart(3, '0')}`),
);

/** So many rules: numbers, and past 10,000 beginnings of what is longer than any number, which are looked at all the same. */
function rules(count: number): string[] {
  const beginnings = [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((digit) => NUMBERS.map((number) => `${number}${digit}*`));
  return [...NUMBERS, ...beginnings].slice(0, count);
}

const HANDSETS = 600;
/** Each may have so many calls at once, so that a peak of 1 s calls finds a free one. */
const CONCURRENT = 8;
/** Handsets share so many addresses of the loopback: one for all would be taken for a flood by the engine. */
const ADDRESSES = 50;
const users = Array.from({ length: HANDSETS }, (_, at) => `b${at}`);

export interface SitePorts {
  readonly cell: number;
  readonly trunk: number;
  readonly board: number;
  /** Headquarters' broker. */
  readonly brokerUrl: string;
}

/** Writes the site into `folder`; `talk` narrows what its one profile allows, `ruleCount` is at most 100,000. */
export function writeBenchSite(folder: string, ports: SitePorts, talk: JsonObject = {}, ruleCount = 10_000): void {
  const loopback = (port: number) => ({ address: '127.0.0.1', port });
  const line = { board: 'b1', relay: 0, hook: 0 };
  writeSite(folder, ports.trunk, {
    site: {
      site: 'bench',
      sip: { realm: 'balise', engine: 'embedded', cell: loopback(ports.cell), carrier: loopback(0) },
    },
    lists: { sanctioned: rules(ruleCount) },
    profiles: [profile({ allow: [], lists: { allow: ['sanctioned'] }, concurrent: CONCURRENT, ...talk })],
    handsets: [
      ...users.map((user) => handset(user)),
      // The one that is wired calls nobody: it is there for the agent to run beside the others, as on a real site.
      handset('wired', { line }),
    ],
    boards: [
      {
        id: 'b1',
        device: 'generic-8r8i',
        unit: 1,
        agent: 'modbus-1',
        transport: { kind: 'rtu-over-tcp', host: '127.0.0.1', port: ports.board },
      },
    ],
    uplink: { url: ports.brokerUrl, commandKeys: [], tokenKey: randomBytes(32).toString('base64') },
  });
}

/** What every challenged handset dials: SIPp can put one address alone into its credentials, and they must name what is dialled. */
export const CHALLENGED_NUMBER = '+441134960000';

/** Lines for SIPp's handsets: each call from the next handset to the next of `numbers`, from the `from`th on. */
export function handsetLines(
  count: number,
  from: number,
  numbers: readonly string[],
  rtpPorts: readonly number[] = [9],
): string[] {
  return Array.from({ length: count }, (_, at) => {
    const user = users[(from + at) % users.length] ?? '';
    const number = numbers[(from + at) % numbers.length] ?? '';
    const address = `127.1.0.${1 + ((from + at) % ADDRESSES)}`;
    return handsetLine(user, passwordOf(user), number, rtpPorts[at % rtpPorts.length] ?? 9, address);
  });
}
