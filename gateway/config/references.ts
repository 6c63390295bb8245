import { accessSync, constants, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { holidayRegions } from '../policy/public-holidays.js';
import { isInside } from './networks.js';
import { type Checked, called, checkOnce, checkReference, type FileName, idsOf } from './site-check.js';

/** Ids that stand twice, names that lead nowhere, and settings that contradict one another. */
export function checkReferences(checked: Checked): void {
  checkIds(checked);
  checkHandsets(checked);
  checkProfiles(checked);
  checkDates(checked);
  checkTrunks(checked);
  checkUplink(checked);
  checkBus(checked);
}

function checkIds(checked: Checked): void {
  const { content } = checked;
  const one = (file: FileName, entries: readonly ({ readonly id?: string | undefined } | undefined)[] | undefined) =>
    checkOnce(checked, file, entries ?? [], {
      key: (entry) => entry?.id,
      pointer: (index) => `/${index}/id`,
      value: (entry) => entry?.id,
      expected: (_, first) => `an id that no other entry has; entry ${first + 1} has it`,
      hint: 'give one of the two another id',
    });
  one('wings', content.wings);
  one('handsets', content.handsets);
  one('profiles', content.profiles);
  one('trunks', content.trunks);
  one('boards', content.boards);
}

function checkHandsets(checked: Checked): void {
  const { handsets, wings, profiles } = checked.content;
  const toWings = { ...idsOf(wings), what: 'a wing', file: 'wings.json' };
  const toProfiles = { ...idsOf(profiles), what: 'a profile', file: 'profiles.json' };
  for (const [index, handset] of (handsets ?? []).entries()) {
    checkReference(checked, { file: 'handsets', pointer: `/${index}/wing`, id: handset?.wing }, toWings);
    checkReference(checked, { file: 'handsets', pointer: `/${index}/profile`, id: handset?.profile }, toProfiles);
  }
  checkOnce(checked, 'handsets', handsets ?? [], {
    key: (handset) => handset?.user,
    pointer: (index) => `/${index}/user`,
    value: (handset) => handset?.user,
    expected: (first, index) => `a SIP user that no other handset has; ${called('handset', first, index)} has it`,
    hint: 'give one of the two another user, and make its HA1 anew with `balise ha1`',
  });
}

function checkProfiles(checked: Checked): void {
  const { profiles, lists, trunks } = checked.content;
  const toTrunks = { ...idsOf(trunks), what: 'a trunk', file: 'trunks.json' };
  const toLists = { ids: Object.keys(lists ?? {}), whole: lists !== undefined, what: 'a list', file: 'lists.json' };
  for (const [index, profile] of (profiles ?? []).entries()) {
    const at = `/${index}`;
    const refer = (pointer: string, ids: readonly (string | undefined)[] | undefined, to: typeof toTrunks) => {
      for (const [entry, id] of (ids ?? []).entries()) {
        checkReference(checked, { file: 'profiles', pointer: `${at}${pointer}/${entry}`, id }, to);
      }
    };
    refer('/trunks', profile?.trunks, toTrunks);
    refer('/lists/allow', profile?.lists?.allow, toLists);
    refer('/lists/block', profile?.lists?.block, toLists);
    if (profile?.tokenOnly === true && profile.tokens !== undefined && Object.keys(profile.tokens).length === 0) {
      checked.report(
        'profiles',
        `${at}/tokenOnly`,
        true,
        'at least one code in "tokens"',
        'add the codes, or take "tokenOnly" out: with neither, nobody can call',
      );
    }
    checkWarnings(checked, index);
  }
}

/** Hours of a date that end before they begin, and a region that the country does not have. */
function checkDates(checked: Checked): void {
  const { site, wings, handsets, profiles } = checked.content;
  const entries = (file: FileName, all: readonly ({ readonly exceptions?: Dates } | undefined)[] | undefined) =>
    (all ?? []).map((entry, index) => ({ file, at: `/${index}`, exceptions: entry?.exceptions }));
  const all = [
    { file: 'site' as const, at: '', exceptions: site?.exceptions },
    ...entries('wings', wings),
    ...entries('handsets', handsets),
    ...entries('profiles', profiles),
  ];
  for (const { file, at, exceptions } of all) {
    for (const [date, hours] of Object.entries(exceptions ?? {})) {
      for (const [index, { from, to } = {}] of (hours ?? []).entries()) {
        if (from === undefined || to === undefined || from < to) continue;
        const hint = 'a date has its own midnight: write what runs on under the next date';
        checked.report(file, `${at}/exceptions/${date}/${index}/to`, to, `later than ${from}`, hint);
      }
    }
  }
  const { country, holidayRegion } = site ?? {};
  if (country === undefined || holidayRegion === undefined) return;
  const regions = holidayRegions(country);
  if (regions.includes(holidayRegion)) return;
  const known = regions.length === 0 ? 'nothing: it has no regions' : `one of its regions: ${regions.join(', ')}`;
  checked.report('site', '/holidayRegion', holidayRegion, `for ${country}, ${known}`, 'correct it, or take it out');
}

type Dates = Readonly<
  Record<string, readonly ({ readonly from?: string; readonly to?: string } | undefined)[] | undefined>
>;

function checkWarnings(checked: Checked, index: number): void {
  const { maxTalkS, warningsS } = checked.content.profiles?.[index] ?? {};
  const at = `/${index}/warningsS`;
  if (maxTalkS === undefined || warningsS === undefined || !checked.isWritten('profiles', at)) return;
  let before: number | undefined;
  for (const [entry, warning] of warningsS.entries()) {
    if (warning === undefined) continue;
    if (warning >= maxTalkS) {
      checked.report(
        'profiles',
        `${at}/${entry}`,
        warning,
        `less than the ${maxTalkS} s of "maxTalkS"`,
        'a warning longer before the end than the call lasts never sounds',
      );
    }
    if (before !== undefined && warning > before) {
      checked.report('profiles', `${at}/${entry}`, warning, `less than ${before}`, 'write the earliest warning first');
    }
    before = warning;
  }
}

function checkTrunks(checked: Checked): void {
  for (const [index, trunk] of (checked.content.trunks ?? []).entries()) {
    if (trunk === undefined) continue;
    const { host, networks, register, username, password, transport } = trunk;
    const { site } = checked.content;
    if (transport === 'tls' && site !== undefined && site.sip?.carrierTls === undefined) {
      checked.report(
        'trunks',
        `/${index}/transport`,
        transport,
        'udp or tcp, because site.json has no "carrierTls" in its "sip"',
        'give sip.carrierTls an address, a certificate and a key',
      );
    }
    for (const [name, value] of Object.entries({ username, password })) {
      const other = name === 'username' ? password : username;
      if (value !== undefined || checked.isWritten('trunks', `/${index}/${name}`)) continue;
      if (register !== true && other === undefined) continue;
      checked.report(
        'trunks',
        `/${index}/${name}`,
        undefined,
        `"${name}", which a trunk that ${register === true ? 'registers' : 'has the other half of an account'} must have`,
        'add it, or take out what asks for it',
      );
    }
    const readable = networks?.flatMap((network) => (network === undefined ? [] : [network])) ?? [];
    if (host === undefined || isIP(host) === 0 || readable.length !== networks?.length) continue;
    if (readable.some((network) => isInside(host, network))) continue;
    checked.report(
      'trunks',
      `/${index}/networks`,
      networks,
      `networks that hold the carrier's own address, ${host}`,
      `add "${host}/${isIP(host) === 4 ? 32 : 128}": its answers would be dropped`,
    );
  }
}

function checkUplink(checked: Checked): void {
  const { uplink } = checked.content;
  if (uplink === undefined) return;
  checkOnce(checked, 'uplink', uplink.commandKeys ?? [], {
    key: (key) => key?.kid,
    pointer: (index) => `/commandKeys/${index}/kid`,
    value: (key) => key?.kid,
    expected: (_, first) => `a name that no other key has; key ${first + 1} has it`,
    hint: 'give one of the two another name',
  });
  for (const [name, other] of [
    ['cert', 'key'],
    ['key', 'cert'],
  ] as const) {
    if (uplink[name] === undefined || checked.isWritten('uplink', `/${other}`)) continue;
    checked.report('uplink', `/${other}`, undefined, `"${other}", which goes with "${name}"`, 'add the file');
  }
  checkPemFiles(checked, 'uplink', '', uplink);
  const plain = /^(mqtt|ws):/.test(uplink.url ?? '');
  if (plain && (uplink.ca ?? uplink.cert) !== undefined) {
    checked.report(
      'uplink',
      '/url',
      uplink.url,
      'mqtts://, since there are certificates',
      'write mqtts:// and its port',
    );
  }
}

/** Reports those of the files that are not there or may not be read; true when there are none. */
function checkPemFiles(
  checked: Checked,
  file: FileName,
  at: string,
  files: { readonly [name in 'ca' | 'cert' | 'key']?: string | undefined },
): boolean {
  let isWell = true;
  for (const name of ['ca', 'cert', 'key'] as const) {
    const path = files[name];
    if (path === undefined || isReadable(resolve(checked.folder, path))) continue;
    isWell = false;
    const hint = `put it at ${resolve(checked.folder, path)}, where this user may read it, or name another file`;
    checked.report(file, `${at}/${name}`, path, 'a file that is there and may be read', hint);
  }
  return isWell;
}

/** The bus would not start without them, and with it no line would be leased. */
function checkBus(checked: Checked): void {
  const tls = checked.content.site?.bus?.tls;
  if (tls?.cert === undefined || tls.key === undefined || !checkPemFiles(checked, 'site', '/bus/tls', tls)) return;
  const { cert, key } = tls;
  try {
    const read = (path: string) => readFileSync(resolve(checked.folder, path));
    createSecureContext({ cert: read(cert), key: read(key) });
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault);
    checked.report('site', '/bus/tls', tls, 'a certificate and the key that goes with it, both in PEM', why);
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    // Absent or forbidden, and whichever it is, the path in the hint shows it.
    return false;
  }
}
