/** Every command of `balise` as a person sees it: at a terminal, each at least once, well and wrongly called. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { programData } from '../../gateway/config/paths.js';
import { wordsOf } from '../../scripts/cli/completion.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { startBoard } from '../../scripts/simulators/board.js';
import { boardPeer } from '../peers/board-peer.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { handset, makeSite, profile } from '../peers/site.js';
import { type Places, type Row, rowsOf } from './every-command.js';
import { PseudoTerminal } from './pseudo-terminal.js';
import { balise } from './terminal.js';

const COLUMNS = 90;
const CTRL_C = '\u0003';
const ESCAPE = '\u001b';
const needsScript = { skip: spawnSync('script', ['--version']).status === 0 ? false : 'util-linux has no script here' };
const CAMPAIGN = {
  ...{ id: 'trains', firm: 'Example Research', purpose: 'a survey about trains', languages: ['en'], trunk: 'carrier' },
  ...{ attempts: { most: 3, spacingS: 3600 }, maxTalkS: 900, pay: { currency: 'EUR', perHour: 400 } },
};

/** The commands that `balise --help` lists, each with what its own help says that it can do. */
async function commandsOf(): Promise<
  ReadonlyMap<string, { readonly help: string; readonly verbs: readonly string[] }>
> {
  const { stdout } = await balise(['--help']);
  const [, list = ''] = /\ncommands\n([\s\S]*?)\n\n/.exec(stdout) ?? [];
  const names = list.split('\n').flatMap((line) => /^ {2}([a-z][a-z0-9]*) /.exec(line)?.[1] ?? []);
  const found = names.map(async (name) => {
    const { stdout: help } = await balise([name, '--help']);
    return [name, { help, verbs: wordsOf({ name, summary: '', help }).verbs }] as const;
  });
  return new Map(await Promise.all(found));
}

async function placesOf(t: Test): Promise<Places> {
  const made = mkdtempSync(join(tmpdir(), 'balise-commands-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  const at = (name: string): string => join(made, name);
  const write = (name: string, what: unknown): void =>
    writeFileSync(at(name), typeof what === 'string' ? what : JSON.stringify(what));
  const [known, line, trunkPort] = await Promise.all([boardPeer(t), startBoard({ port: 0, units: [2] }), freePort()]);
  t.teardown(() => line.close());
  const site = makeSite(t, trunkPort, {
    profiles: [profile({ signOnCode: '*1' })],
    boards: known.boards,
    handsets: [handset('a-101', { line: known.line })],
  });
  const stopped = makeSite(t, 9);
  const said = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await balise(args);
    t.equal(status, 0, stderr);
    return stdout;
  };
  const keys = [];
  for (const kid of ['warden', 'lawyer'])
    keys.push(JSON.parse(await said('policy', 'keygen', '--kid', kid, '--key', at(`${kid}.jwk`))) as unknown);
  const json = (name: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(stopped, `${name}.json`), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(stopped, 'site.json'), JSON.stringify({ ...json('site'), policy: { keys } }));
  const content = { profiles: json('profiles'), lists: json('lists') };
  write('policy.json', { site: 'test', version: 1, validFrom: '2026-01-01T00:00:00Z', validOfflineH: 72, content });
  write('policy.jws', await said('policy', 'sign', '--key', at('warden.jwk'), at('policy.json')));
  write('policy.jws', await said('policy', 'sign', '--key', at('lawyer.jwk'), at('policy.jws')));
  await said('keys', 'authority', at('authority'));
  write('gw.csr', await said('enrol', 'request', stopped));
  write('gw.pem', await said('keys', 'sign', at('gw.csr'), '--authority', at('authority')));
  await said('keys', 'new', at('hq.jwk'));
  write('list.csv', '+442079460000\n');
  write('contacts.csv', 'number,language\n+442079460073,en\n');
  write('wing.csv', 'id,wing,profile\na-120,a,test\n');
  write('trains.json', CAMPAIGN);
  write('lent.json', { ...CAMPAIGN, lent: { most: 5 } });
  copyFileSync(programData('prompts', 'en', 'work.signed-off.alaw'), at('sound.alaw'));
  const listen = { address: '127.0.0.1', port: 0 };
  const hq = { url: 'mqtt://127.0.0.1:9', database: 'sqlite:hq.db', listen };
  write('headquarters.json', { ...hq, signingKey: 'hq.jwk', contactsKey: 'contacts.key' });
  await GatewayProcess.start(t, site);
  await known.relayIs(0, true);
  return { site, stopped, at, boardPort: line.port };
}

/** Runs the rows at one terminal, types what they ask for, and gives what was seen of each. */
async function seen(
  t: Test,
  folder: string,
  rows: readonly Row[],
): Promise<readonly { text: string; status: number }[]> {
  const file = join(folder, 'rows.json');
  writeFileSync(file, JSON.stringify(rows.map(({ args }) => args)));
  const program = join(dirname(fileURLToPath(import.meta.url)), 'at-terminal.js');
  const terminal = new PseudoTerminal(t, [file], program, COLUMNS);
  for (const [at, { types = [] }] of rows.entries())
    for (const [asks, keys] of types) {
      await terminal.shows(`\u001e${at} begins\u001e`);
      const begins = terminal.text.indexOf(`\u001e${at} begins\u001e`);
      await terminal.showsFrom(begins, asks);
      terminal.type(keys);
    }
  t.equal(await terminal.exited, 0, 'all of them were run');
  return rows.map((_, at) => {
    const [, text = '', status = ''] =
      new RegExp(`\u001e${at} begins\u001e([\\s\\S]*?)\u001e${at} ends (\\d+)\u001e`).exec(terminal.text) ?? [];
    return { text: text.replaceAll('\r\n', '\n'), status: Number(status) };
  });
}

t.test('every command and what it can do is run at a terminal, well and wrongly', needsScript, async (t) => {
  const places = await placesOf(t);
  const commands = await commandsOf();
  const rows = rowsOf(places);

  await t.test('the table has every command of balise --help, and every verb of each', async (t) => {
    t.ok(commands.size >= 30, 'the help lists them');
    for (const [name, { verbs }] of commands) {
      const own = rows.filter(({ args }) => args[0] === name);
      t.ok(own.some(({ status }) => status === 0) || NO_GOOD_END.has(name), `${name}, well`);
      t.ok(
        own.some(({ status }) => status !== 0),
        `${name}, wrongly`,
      );
      for (const verb of verbs)
        t.ok(
          own.some(({ args }) => args[1] === verb),
          `${name} ${verb}`,
        );
    }
  });

  const documented = [...(await balise(['--help'])).stdout.matchAll(/^ {2}(\d+) {2,}/gm)].map(([, code]) =>
    Number(code),
  );
  const helps = [...commands.keys()].map(
    (name): Row => ({ args: [name, '--help'], status: 0, shows: /usage: /, fits: true }),
  );
  const all = [...rows, ...helps, { args: ['--help'], status: 0, shows: /exit status/, fits: true } as Row];
  const outcomes = await seen(t, places.at('.'), all);
  for (const [at, { args, status, shows, fits, types = [] }] of all.entries()) {
    const { text, status: found } = outcomes[at] ?? { text: '', status: -1 };
    const what = args.join(' ').replaceAll(/\/tmp\/[^ ]*\//g, '');
    t.equal(found, status, `${what} ends with ${status}: ${found === status ? '' : text}`);
    t.ok(documented.includes(found), `${found} is in the help`);
    t.match(text, shows, what);
    for (const [, keys] of types) t.notMatch(text, keys.trim(), `${what}: what is typed there is not shown`);
    t.notOk(text.includes(ESCAPE), `${what}: no colours, and nothing else that a log would not take`);
    t.notMatch(text, /^\s+at .*\.js:\d+/m, `${what}: no stack is for people`);
    if (fits === true) {
      const wide = text.split(/\r|\n/).filter((shown) => shown.length > COLUMNS && shown.trim().includes(' '));
      t.same(wide, [], `${what} fits ${COLUMNS} columns`);
    }
    if (status === 64)
      t.match(text, /^see balise [a-z0-9]+ --help$|see balise --help$/m, `${what}: says where to read on`);
  }
  for (const verb of ['status', 'calls', 'doctor']) {
    const { stdout, stderr } = await balise([verb, '--site', places.site]);
    t.notOk(
      [ESCAPE, '\r'].some((sign) => `${stdout}${stderr}`.includes(sign)),
      `${verb} to a pipe is plain`,
    );
  }

  await t.test('what goes on until Ctrl-C shows itself at once, and ends by it', async (t) => {
    for (const [args, shows] of [
      [['tail', '--site', places.site], 'listening'],
      [['calls', '--site', places.site], 'Ctrl-C ends'],
    ] as const) {
      const terminal = new PseudoTerminal(t, args, undefined, COLUMNS);
      await terminal.shows(shows);
      terminal.type(CTRL_C);
      t.equal(await terminal.exited, 128 + 2, `${args[0]} is ended by the terminal's own signal`);
    }
  });
});

/** What ends well only with a call on record, or not by itself. */
const NO_GOOD_END = new Set(['why', 'tail', 'trunk']);
