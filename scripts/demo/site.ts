import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programData } from '../../gateway/config/paths.js';
import { newSigningKey, type SigningKey } from '../headquarters/sign-command.js';

export interface DemoPorts {
  readonly broker: number;
  readonly board: number;
  readonly carrier: number;
  /** 0 lets the kernel choose. */
  readonly cell: number;
  readonly console: number;
}

export interface DemoSite {
  readonly folder: string;
  /** Headquarters' signing key, made for this run. */
  readonly commandKey: SigningKey;
}

/** UK fiction numbers, and the campaigns' callees, may be called at any hour in the demo, so that it tells the same story at night. */
const OPEN_COUNTRIES = ['GB', 'BE', 'TR'];
const ALWAYS_OPEN = {
  status: 'for the demo only',
  source: 'none: the demo must have countries that are open at whatever hour it runs',
};

type JsonObject = Record<string, unknown>;

/** Copies `config/demo` to a temporary folder and writes this run's ports and keys into it. */
export async function makeDemoSite(ports: DemoPorts): Promise<DemoSite> {
  const folder = mkdtempSync(join(tmpdir(), 'balise-demo-'));
  cpSync(programData('demo'), folder, { recursive: true, filter: (path) => !/\/(data|run)$/.test(path) });
  const { privateJwk: commandKey, publicJwk } = await newSigningKey('hq-demo');
  const edit = (name: string, change: (value: never) => unknown) => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, `${JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as never), null, 2)}\n`);
  };
  edit('site', (site: { sip: { cell: JsonObject }; console: JsonObject } & JsonObject) => ({
    ...site,
    sip: { ...site.sip, cell: { ...site.sip.cell, port: ports.cell } },
    console: { ...site.console, port: ports.console },
  }));
  edit('trunks', (trunks: JsonObject[]) => trunks.map((trunk) => ({ ...trunk, port: ports.carrier })));
  edit('boards', (boards: ({ transport: JsonObject } & JsonObject)[]) =>
    boards.map((board) => ({ ...board, transport: { ...board.transport, port: ports.board } })),
  );
  edit('uplink', (uplink: JsonObject) => ({
    ...uplink,
    url: `mqtt://127.0.0.1:${ports.broker}`,
    commandKeys: [publicJwk],
    tokenKey: randomBytes(32).toString('base64'),
  }));
  edit('profiles', (profiles: ({ id: string; allow?: string[] } & JsonObject)[]) =>
    profiles.map((profile) =>
      ['survey', 'codes'].includes(profile.id)
        ? { ...profile, signOnCode: '*1', allow: [...(profile.allow ?? []), '+32255501*', '+902121234567'] }
        : profile,
    ),
  );
  mkdirSync(join(folder, 'calling-hours'), { recursive: true });
  const everyDay = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '24:00' }];
  for (const country of OPEN_COUNTRIES) {
    const file = programData('calling-hours', `${country}.json`);
    const rules = { ...(JSON.parse(readFileSync(file, 'utf8')) as JsonObject), ...ALWAYS_OPEN };
    const open = { ...rules, country, windows: everyDay, closedOnHolidays: false };
    writeFileSync(join(folder, 'calling-hours', `${country}.json`), `${JSON.stringify(open, null, 2)}\n`);
  }
  return { folder, commandKey };
}
