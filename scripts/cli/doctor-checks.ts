/** What can be wrong around a site that its files do not say; each finding with what to do. */
import { createSocket } from 'node:dgram';
import { accessSync, constants, existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { connect, createServer, isIPv6 } from 'node:net';
import { dirname } from 'node:path';
import { joinReports, SYSTEM_SOURCES } from '../../gateway/clock/synchronisation.js';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { programData } from '../../gateway/config/paths.js';
import type { SiteFiles } from '../../gateway/config/site.js';
import { SitePhones } from '../../gateway/editing/site-phones.js';
import { zoneRulesWarning } from '../../gateway/policy-watch.js';
import { runningGateway } from '../../gateway/supervisor/run-folder.js';
import { lookAtPem, pemSetsOf } from './pem-files.js';
import { probeTrunk } from './probed-trunk.js';

export interface Finding {
  /** What was looked at, e.g. `disk` or `trunk carrier`. */
  readonly of: string;
  readonly is: 'well' | 'warning' | 'fault';
  readonly what: string;
  /** What to do; empty when it is well. */
  readonly todo: string;
}

const well = (of: string, what: string): Finding => ({ of, is: 'well', what, todo: '' });
const warning = (of: string, what: string, todo: string): Finding => ({ of, is: 'warning', what, todo });
const fault = (of: string, what: string, todo: string): Finding => ({ of, is: 'fault', what, todo });

const MIB = 1024 * 1024;
const REACH_MS = 4_000;

/** Every check by its name, in the order in which a technician would look. */
export const CHECKS: Readonly<Record<string, (site: SiteFiles) => Promise<readonly Finding[]>>> = {
  node: async () => [node()],
  clock,
  zones: async () => zones(),
  disk: async (site) => [disk(site)],
  data: async (site) => [dataFolder(site)],
  gateway: async (site) => [gatewayOf(site)],
  ports,
  serial: async (site) => serial(site),
  certificates: async (site) => certificates(site),
  prompts: async (site) => prompts(site),
  phones: async (site) => phones(site),
  trunks,
  broker,
};

function node(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= 20) return well('node', `Node ${process.versions.node}`);
  return fault('node', `Node ${process.versions.node} is too old`, 'run Node 20 or newer');
}

async function clock({ site }: SiteFiles): Promise<readonly Finding[]> {
  const report = joinReports(await Promise.all(SYSTEM_SOURCES.map((source) => source.ask())));
  if (report.state === 'synchronised') return [well('clock', 'synchronised')];
  const why = report.state === 'absent' ? 'neither chrony nor systemd says whether it is synchronised' : report.why;
  const todo = 'install chrony with a server that this machine reaches: apt install chrony; chronyc -n sources';
  return [
    site.clock.trust === 'assume'
      ? warning('clock', `${why}; site.json believes it all the same`, todo)
      : fault('clock', `${why}: no call is granted`, todo),
  ];
}

function zones(): Finding[] {
  const at = systemClock(() => ({ trusted: true })).wall();
  const old = zoneRulesWarning(process.versions.tz, at);
  if (old.length === 0) return [well('time zones', `rules of ${process.versions.tz}`)];
  return old.map(({ why }) => warning('time zones', why, 'a newer Node carries newer rules'));
}

function disk({ dataFolder }: SiteFiles): Finding {
  let folder = dataFolder;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const freeMib = Math.floor((bavail * bsize) / MIB);
  const said = `${freeMib} MiB free for ${dataFolder}`;
  if (freeMib < 64)
    return fault('disk', `${said}: below 32 MiB no call is granted`, 'make room, or move dataFolder to another disk');
  if (freeMib < 1024) return warning('disk', said, 'make room before it is needed: below 32 MiB no call is granted');
  return well('disk', said);
}

function dataFolder({ dataFolder: folder }: SiteFiles): Finding {
  const facts = statSync(folder, { throwIfNoEntry: false });
  if (facts === undefined) return well('data folder', `${folder} is not there yet: the first start makes it`);
  if ((facts.mode & 0o077) !== 0) {
    return fault('data folder', `${folder} may be read by others: it holds secrets`, `chmod 700 ${folder}`);
  }
  try {
    accessSync(folder, constants.R_OK | constants.W_OK);
    return well('data folder', `${folder} is its owner's alone`);
  } catch {
    return fault('data folder', `${folder} cannot be written by this user`, "run this as the gateway's user");
  }
}

function gatewayOf({ dataFolder: folder, runFolder }: SiteFiles): Finding {
  const pid = runningGateway(folder, runFolder);
  return well('gateway', pid === undefined ? 'none runs on this site' : `process ${pid} runs on this site`);
}

interface Place {
  readonly of: string;
  readonly address: string;
  readonly port: number;
  readonly protocols: readonly ('udp' | 'tcp')[];
}

/** Whether what the gateway would listen on is free, or is its own. */
async function ports(files: SiteFiles): Promise<readonly Finding[]> {
  if (runningGateway(files.dataFolder, files.runFolder) !== undefined)
    return [well('ports', 'the running gateway has them')];
  const { sip, bus, console: web, provisioning } = files.site;
  const places: Place[] = [
    ...(sip.engine === 'drachtio'
      ? []
      : [
          { of: 'port of sip.cell', ...sip.cell, protocols: ['udp', 'tcp'] as const },
          { of: 'port of sip.carrier', ...sip.carrier, protocols: ['udp', 'tcp'] as const },
        ]),
    { of: 'port of bus', address: bus.address, port: bus.port, protocols: ['tcp'] },
    { of: 'port of console', ...web, protocols: ['tcp'] },
    ...(provisioning === undefined
      ? []
      : [
          {
            of: 'port of provisioning',
            address: provisioning.address ?? sip.cell.address,
            port: provisioning.port,
            protocols: ['tcp'] as const,
          },
        ]),
  ];
  return Promise.all(places.map(portOf));
}

async function portOf({ of, address, port, protocols }: Place): Promise<Finding> {
  for (const protocol of protocols) {
    const code = await (protocol === 'udp' ? bindUdp(address, port) : bindTcp(address, port));
    if (code === undefined) continue;
    const at = `${protocol} ${address}:${port}`;
    if (code === 'EADDRINUSE')
      return fault(
        of,
        `${at} is taken by another program`,
        `ss -lnp sport = :${port} shows which; stop it, or take another port`,
      );
    if (code === 'EADDRNOTAVAIL')
      return fault(
        of,
        `${address} is no address of this machine`,
        'ip address shows those that are; see the cable and site.json',
      );
    if (code === 'EACCES') return fault(of, `${at} is not for this user`, 'take a port above 1023');
    return fault(of, `${at}: ${code}`, 'see the address and the port in site.json');
  }
  return well(of, port === 0 ? `${address}, a port of the system's choice` : `${address}:${port} is free`);
}

function bindUdp(address: string, port: number): Promise<string | undefined> {
  return new Promise((settle) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
    socket.bind(port, address, () => socket.close(() => settle(undefined)));
  });
}

function bindTcp(address: string, port: number): Promise<string | undefined> {
  return new Promise((settle) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
    server.listen(port, address, () => server.close(() => settle(undefined)));
  });
}

function serial({ boards }: SiteFiles): Finding[] {
  const paths = new Set(boards.flatMap(({ transport }) => (transport.kind === 'serial' ? [transport.path] : [])));
  return [...paths].map((path) => {
    const of = `serial ${path}`;
    if (!existsSync(path))
      return fault(of, 'it is not there', 'ls -l /dev/serial/by-id/ shows those that are; see the plug');
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
      return well(of, 'it may be read and written');
    } catch {
      return fault(
        of,
        'this user may not use it',
        `usermod -aG dialout <the gateway's user>, and start its service anew`,
      );
    }
  });
}

function certificates(files: SiteFiles): Finding[] {
  const nowMs = systemClock(() => ({ trusted: true })).wall().epochMilliseconds;
  return pemSetsOf(files)
    .flatMap((set) => lookAtPem(set, files.folder, nowMs))
    .map(({ set, member, is, what, todo }) => ({ of: `${WORDS[member] ?? member} of ${set.of}`, is, what, todo }));
}

const WORDS: Readonly<Record<string, string>> = {
  ...{ cert: 'certificate', key: 'key', ca: 'authorities', clientCa: 'authorities' },
};

function prompts({ site, handsets, profiles }: SiteFiles): Finding[] {
  const spoken = new Set(profiles.filter((profile) => profile.prompts).map(({ id }) => id));
  const languages = new Set([
    site.language,
    ...handsets.flatMap(({ profile, language }) => (spoken.has(profile) && language ? [language] : [])),
  ]);
  return [...languages].map((language) => {
    const folder = programData('prompts', language);
    const pieces = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.alaw')).length : 0;
    if (pieces > 0) return well(`prompts ${language}`, `${pieces} pieces`);
    return fault(`prompts ${language}`, `${folder} has none`, 'the installation is not whole: install it again');
  });
}

function phones(site: SiteFiles): Finding[] {
  const known = new SitePhones(site);
  return site.handsets.flatMap((one) => {
    const { state, detail } = known.stateOf(one);
    const of = `phone of ${one.id}`;
    if (state === 'mismatch' || state === 'unreadable')
      return [fault(of, detail, 'look at the phone; balise handset provision --rotate renews it')];
    return state === 'expired' ? [warning(of, detail, `balise handset provision … ${one.id}`)] : [];
  });
}

async function trunks(site: SiteFiles): Promise<readonly Finding[]> {
  return Promise.all(
    site.trunks.map(async (one) => {
      const of = `trunk ${one.id}`;
      const found = await probeTrunk(site, one, REACH_MS);
      if (found.is === 'silent')
        return fault(of, found.why, `balise trunk test shows more; the carrier is ${one.host}:${one.port}`);
      const { status, reason, ms, account } = found;
      if (account === 'unasked' || account === 'proved') return well(of, `${status} ${reason} after ${ms} ms`);
      return fault(
        of,
        `${status} ${reason}: our account is not taken`,
        'see username, password and realm in trunks.json',
      );
    }),
  );
}

async function broker({ uplink }: SiteFiles): Promise<readonly Finding[]> {
  if (uplink === undefined) return [];
  const { protocol, hostname, port } = new URL(uplink.url);
  const standard: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 };
  const at = Number(port) || (standard[protocol] ?? 8883);
  const why = await reached(hostname.replace(/^\[(.*)\]$/, '$1'), at);
  if (why === undefined) return [well('broker', `${hostname}:${at} is reached`)];
  return [
    warning(
      'broker',
      `${hostname}:${at}: ${why}; what is reported waits on the disk`,
      'see uplink.json, the routes and the firewall',
    ),
  ];
}

function reached(host: string, port: number): Promise<string | undefined> {
  return new Promise((settle) => {
    const socket = connect(port, host);
    const end = (why: string | undefined): void => {
      clearTimeout(late);
      socket.destroy();
      settle(why);
    };
    const late = setTimeout(() => end(`no answer within ${REACH_MS / 1000} s`), REACH_MS);
    socket.once('connect', () => end(undefined));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

/** Where findings of a kind come from: for `--only`. */
export const checkNames = (): readonly string[] => Object.keys(CHECKS);
