import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { loadSite } from '../../gateway/config/site.js';
import { type Command, EXIT, needed, type Terminal, UsageFault } from './command.js';
import { notesOn, summaryOf } from './site-summary.js';

const HELP = `balise init: a new site, asked for question by question

usage: balise init <folder> [--name <id>] [--gateway <id>] [--country <XX>] [--zone <zone>] [--language <fr|nl|…>]
                   [--cell <address>] [--carrier <address>] [--cell-network <a.b.c.d/n>] [--wing <id>]
                   [--trunk-host <host>] [--trunk-port <n>] [--trunk-network <a.b.c.d/n>] [--caller <number>]
                   [--allow <number or prefix*>] [--console <address>]

At a terminal it asks for what is not given, and says what is meant; an empty answer takes what stands in brackets.
Anywhere else everything without a default must be given. The new site is checked as balise check does before it is put
into its place: a folder that cannot be a site is never left behind. It has no handsets and no boards yet, and its calls
need numbers that you allow: balise handset add and boards.json come next.

  <folder>        the site's folder; it must not be there, or be empty

Exit status 0; 64 wrongly called; 78 the answers make no sound site, every fault is told.

example
  balise init /etc/balise/site --name north --country BE --zone Europe/Brussels --language fr --cell 10.20.0.1 \\
    --carrier 10.30.0.1 --cell-network 10.20.0.0/16 --trunk-host sip.carrier.example --trunk-network 198.51.100.0/24 \\
    --caller +3225550100 --allow '+32*'
`;

interface Question {
  readonly option: string;
  readonly asks: string;
  readonly standard?: (given: Answers) => string;
  /** Why this cannot be it; undefined when it can. */
  readonly wrong: (answer: string) => string | undefined;
}
type Answers = Readonly<Record<string, string>>;

const matches = (form: RegExp, expected: string) => (answer: string) =>
  form.test(answer) ? undefined : `expected ${expected}`;
const ID = matches(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'small letters, digits, hyphen, dot or underscore');
const ADDRESS = (answer: string) => (isIP(answer) === 0 ? 'expected an IP address of this machine' : undefined);
const NETWORK = matches(/^[0-9a-f.:]+\/[0-9]{1,3}$/i, 'a network, e.g. 10.20.0.0/16');

function isZone(zone: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return zone.includes('/') ? undefined : 'expected a time zone with a place, e.g. Europe/Brussels';
  } catch {
    // A RangeError is how Intl says no (ECMA-402 §11.1.1).
    return 'expected a time zone, e.g. Europe/Brussels';
  }
}

const QUESTIONS: readonly Question[] = [
  { option: 'name', asks: 'A short name of the site', wrong: ID },
  { option: 'gateway', asks: 'The name of this gateway', standard: () => 'gw-1', wrong: ID },
  { option: 'country', asks: 'Its country, two letters', wrong: matches(/^[A-Z]{2}$/, 'two capital letters, e.g. BE') },
  {
    option: 'zone',
    asks: 'Its time zone',
    standard: () => Intl.DateTimeFormat().resolvedOptions().timeZone,
    wrong: isZone,
  },
  {
    option: 'language',
    asks: 'The language of the prompts (fr, nl, sq, ru, tr, de or en)',
    wrong: matches(/^(fr|nl|sq|ru|tr|de|en)$/, 'one of fr, nl, sq, ru, tr, de, en'),
  },
  { option: 'cell', asks: "This machine's address on the cells' network", wrong: ADDRESS },
  { option: 'cell-network', asks: "The network that the cells' phones are in", wrong: NETWORK },
  { option: 'wing', asks: 'The name of the first wing', standard: () => 'a', wrong: ID },
  { option: 'carrier', asks: "This machine's address towards the carrier", wrong: ADDRESS },
  {
    option: 'trunk-host',
    asks: "The carrier's SIP server, a name or an address",
    wrong: matches(/^[A-Za-z0-9:]([A-Za-z0-9.:-]{0,252})$/, 'a host'),
  },
  { option: 'trunk-port', asks: 'Its port', standard: () => '5060', wrong: matches(/^[0-9]{1,5}$/, 'a port') },
  { option: 'trunk-network', asks: "The network that the carrier's signalling and speech come from", wrong: NETWORK },
  {
    option: 'caller',
    asks: 'The number that calls come from, with + and country code',
    wrong: matches(/^\+[1-9][0-9]{5,14}$/, 'a number like +3225550100'),
  },
  {
    option: 'allow',
    asks: 'What may be called at first: a number, or a prefix with *',
    wrong: matches(/^\+[1-9][0-9]{0,14}\*?$/, 'e.g. +32*'),
  },
  {
    option: 'console',
    asks: "The console's address (127.0.0.1: this machine alone)",
    standard: () => '127.0.0.1',
    wrong: ADDRESS,
  },
];

/** `balise init <folder>` */
export const init: Command = {
  name: 'init',
  summary: 'makes a new site, question by question',
  help: HELP,
  async run(args, terminal) {
    const options = Object.fromEntries(QUESTIONS.map(({ option }) => [option, { type: 'string' as const }]));
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [named, ...more] = positionals;
    if (more.length > 0) throw new UsageFault('one folder at a time');
    const folder = resolve(needed(named, '<folder>'));
    if (existsSync(folder) && readdirSync(folder).length > 0)
      throw new UsageFault(`${folder} is there already, and is not empty`);
    const given = Object.fromEntries(
      Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
    for (const { option, wrong } of QUESTIONS) {
      const answer = given[option];
      const why = answer === undefined ? undefined : wrong(answer);
      if (why !== undefined) throw new UsageFault(`--${option} ${JSON.stringify(answer)}: ${why}`);
    }
    const answers = terminal.stdin.isTTY === true ? await asked(given, terminal) : completed(given);
    await write(folder, answers);
    const site = await loadSite(folder);
    terminal.stdout.write(summaryOf(site));
    for (const note of notesOn(site)) terminal.stdout.write(`note: ${note}\n`);
    terminal.stdout.write(
      [
        `${folder} is a sound site. Next:`,
        `  balise board scan --port <device file>       then ${join(folder, 'boards.json')}, for lines with a relay`,
        `  balise handset add ${folder} <handset> --wing ${answers.wing} --profile first`,
        `  balise doctor ${folder}`,
        '',
      ].join('\n'),
    );
    return EXIT.ok;
  },
};

/** What was given, and what goes without saying. Throws with everything that is missing. */
function completed(given: Answers): Answers {
  const answers: Record<string, string> = { ...given };
  for (const { option, standard } of QUESTIONS) {
    const usual = standard?.(answers);
    if (answers[option] === undefined && usual !== undefined) answers[option] = usual;
  }
  const missing = QUESTIONS.filter(({ option }) => answers[option] === undefined).map(({ option }) => `--${option}`);
  if (missing.length > 0) throw new UsageFault(`${missing.join(', ')}: missing, and there is no terminal to ask at`);
  return answers;
}

/** Asks for what was not given, each until it can be. */
async function asked(given: Answers, { stdin, stderr }: Terminal): Promise<Answers> {
  const answers: Record<string, string> = { ...given };
  const lines = createInterface({ input: stdin, output: stderr, terminal: true });
  const ended = new Promise<never>((_settle, reject) => {
    lines.once('close', () => reject(new UsageFault('given up: nothing was written')));
  });
  // Nobody may wait for it any more when it comes.
  ended.catch(() => undefined);
  try {
    for (const { option, asks, standard, wrong } of QUESTIONS) {
      const usual = standard?.(answers);
      while (answers[option] === undefined) {
        const hint = usual === undefined ? '' : ` [${usual}]`;
        const answer = (await Promise.race([lines.question(`${asks}${hint}: `), ended])).trim() || (usual ?? '');
        const why = wrong(answer);
        if (why === undefined) answers[option] = answer;
        else stderr.write(`  ${why}\n`);
      }
    }
    return answers;
  } finally {
    lines.close();
  }
}

/** Writes the files beside their place, has them checked, and moves them there. Throws a `ConfigFault`; nothing is left then. */
async function write(folder: string, answers: Answers): Promise<void> {
  const staging = join(dirname(folder), `.${basename(folder)}.new-${process.pid}`);
  mkdirSync(staging, { recursive: true, mode: 0o750 });
  try {
    for (const [name, value] of Object.entries(filesOf(answers))) {
      writeFileSync(join(staging, `${name}.json`), `${JSON.stringify(value, null, 2)}\n`, { mode: 0o640 });
    }
    await loadSite(staging);
    renameSync(staging, folder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function filesOf(answers: Answers): Readonly<Record<string, unknown>> {
  const of = (option: string): string => answers[option] ?? '';
  const [cell, carrier] = [of('cell'), of('carrier')];
  return {
    site: {
      site: of('name'),
      gateway: of('gateway'),
      zone: of('zone'),
      country: of('country'),
      language: of('language'),
      // One address and port would be one listener for cells and carrier: they are kept apart.
      sip: { cell: { address: cell, port: 5060 }, carrier: { address: carrier, port: cell === carrier ? 5062 : 5060 } },
      media: { cellAddress: cell, carrierAddress: carrier },
      console: { address: of('console'), port: 8080 },
    },
    wings: [{ id: of('wing'), network: [of('cell-network')] }],
    handsets: [],
    profiles: [{ id: 'first', allow: [of('allow')], maxTalkS: 900, hookRequired: false, trunks: ['carrier'] }],
    trunks: [
      {
        id: 'carrier',
        host: of('trunk-host'),
        port: Number(of('trunk-port')),
        callerIdentity: of('caller'),
        networks: [of('trunk-network')],
      },
    ],
  };
}
