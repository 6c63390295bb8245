import type { Board, Listener, Window } from '../../config/schema/types.generated.js';
import type { SiteFiles } from '../../gateway/config/site.js';

function address({ address, port }: Listener): string {
  return `${address}:${port === 0 ? 'any' : port}`;
}

function transport(board: Board): string {
  return board.transport.kind === 'serial'
    ? `${board.transport.path}, ${board.transport.baud} baud`
    : `${board.transport.host}:${board.transport.port}, RTU over TCP`;
}

function hours(windows: readonly Window[] | undefined): string {
  if (windows === undefined) return 'always';
  return windows.map(({ days, from, to }) => `${days.join(' ')} ${from}–${to}`).join('; ');
}

/** What a site holds, a line for each kind of thing, for a technician to compare with what is on the wall. */
export function summaryOf(site: SiteFiles): string {
  const { site: main, wings, handsets, profiles, lists, trunks, boards, uplink } = site;
  const inWing = (wing: string) => handsets.filter((handset) => handset.wing === wing).length;
  const off = handsets.filter((handset) => !handset.enabled).length;
  const wired = handsets.filter((handset) => handset.line !== undefined).length;
  const rows: [string, string | number, string][] = [
    ['wings', wings.length, wings.map(({ id }) => `${id} (${inWing(id)} handsets)`).join(', ')],
    ['handsets', handsets.length, `${wired} with a line${off === 0 ? '' : `, ${off} disabled`}`],
    ['profiles', profiles.length, profiles.map(({ id, maxTalkS }) => `${id} (${maxTalkS} s)`).join(', ')],
    [
      'lists',
      Object.keys(lists).length,
      Object.entries(lists)
        .map(([name, list]) => `${name} (${list?.length})`)
        .join(', '),
    ],
    [
      'trunks',
      trunks.length,
      trunks.map(({ id, host, port, transport }) => `${id} (${transport} ${host}:${port})`).join(', '),
    ],
    [
      'boards',
      boards.length,
      boards.map((board) => `${board.id} (${board.device}, unit ${board.unit}, ${transport(board)})`).join(', '),
    ],
    [
      'uplink',
      uplink === undefined ? 'none' : 1,
      uplink === undefined ? '' : `${uplink.url}, ${uplink.commandKeys.length} command keys`,
    ],
    ['hours', '', hours(main.windows)],
    [
      'listens',
      '',
      `SIP ${address(main.sip.cell)} (cells), ${address(main.sip.carrier)} (carriers); bus ${address(main.bus)}; console ${address(main.console)}`,
    ],
  ];
  const lines = rows.map(([what, count, detail]) =>
    `  ${what.padEnd(9)}${String(count).padStart(5)}  ${detail}`.trimEnd(),
  );
  return `${site.folder}: no fault\nsite ${main.site}, gateway ${main.gateway}, ${main.country}, ${main.zone}\n${lines.join('\n')}\n`;
}

const LOOPBACK = /^mqtt:\/\/(localhost|127\.[0-9.]+|\[::1\])(:|$)/;

/** What is allowed, and yet worth a second look. */
export function notesOn(site: SiteFiles): string[] {
  const { profiles, handsets, lists, boards, uplink } = site;
  const notes: string[] = [];
  if (site.site.clock.trust === 'assume') {
    notes.push('clock.trust is "assume": nothing checks that the clock is synchronised');
  }
  const { address, tls } = site.site.console;
  if (tls === undefined && !/^(127\.|::1$)/.test(address)) {
    notes.push('the console is in clear text on a network: console.tls keeps passwords from whoever listens');
  }
  if (uplink?.url.startsWith('mqtt://') === true && !LOOPBACK.test(uplink.url)) {
    notes.push('the uplink is in clear text: mqtts:// hides it from the network');
  }
  if (uplink !== undefined && uplink.commandKeys.length === 0) {
    notes.push('the uplink has no command key: headquarters can cut no call');
  }
  for (const board of boards) {
    if (board.allowNoWatchdog) notes.push(`board ${board.id} is accepted without a watchdog of its own`);
  }
  for (const profile of profiles) {
    if (!handsets.some((handset) => handset.profile === profile.id)) notes.push(`no handset has profile ${profile.id}`);
    if (profile.allow.length === 0 && profile.lists.allow.length === 0) {
      notes.push(`profile ${profile.id} allows no number: every call is refused`);
    }
  }
  for (const name of Object.keys(lists)) {
    const used = profiles.some((profile) => [...profile.lists.allow, ...profile.lists.block].includes(name));
    if (!used) notes.push(`no profile uses list ${name}`);
  }
  return notes;
}
