/** `balise campaign` on a site, as a technician uses it: what callees are told, and whom they are. */
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Campaign } from '../../config/schema/types.generated.js';
import type { E164 } from '../../gateway/policy/ids.js';
import { NumberSeal } from '../../gateway/work/number-seal.js';
import type { NewContact } from '../../gateway/work/ports.js';
import { ContactSpill } from '../../scripts/cli/contact-spill.js';
import { balise } from '../cli/terminal.js';
import { needs } from '../peers/needs.js';
import { aSite, CAMPAIGN, file, importing, opened, withTrains } from './trains-site.js';

t.test('a campaign whose file is wrong is refused with all that is wrong', async (t) => {
  const folder = await aSite(t);
  writeFileSync(file(folder, 'bad.json'), JSON.stringify({ ...CAMPAIGN, ringS: 60, trunk: 'nobody' }));
  t.match(await balise(['campaign', 'set', '--site', folder.path, file(folder, 'bad.json')]), {
    status: 64,
    stderr: /\/ringS: found 60, expected.*40/,
  });
  writeFileSync(file(folder, 'bad.json'), JSON.stringify({ ...CAMPAIGN, trunk: 'nobody', leastTalkS: 1000 }));
  const { stderr } = await balise(['campaign', 'set', '--site', folder.path, file(folder, 'bad.json')]);
  t.match(stderr, /there is no trunk nobody[\s\S]*leastTalkS/);
});

t.test('contacts are imported by the columns that are named, and the same ones are not imported twice', async (t) => {
  const folder = await withTrains(t);
  const csv = 'Naam;Telefoon;Taal;Prio\r\nx;+442079460001;EN;1\r\nx;"020 7946 0002";nl;\r\n\r\n';
  const maps = ['--map', 'number=Telefoon', '--map', 'language=taal', '--map', 'priority=4'];
  t.match(await importing(folder, csv.replace('020', '+44 20'), ...maps), {
    status: 0,
    stdout: /^trains: 2 new contacts, 0 known/,
  });
  t.match(await importing(folder, csv.replace('020', '+44 20'), ...maps), {
    stdout: /^trains: 0 new contacts, 2 known already/,
  });
  const { stdout } = await balise(['campaign', 'list', '--site', folder.path]);
  t.match(stdout, 'trains  Example Research, nl en  2 contacts to call');
});

t.test('every line that is no contact is told with its column and what to do, and nothing is changed', async (t) => {
  const folder = await withTrains(t);
  const csv = 'number,language,zone,earliest,priority\n+442079460001,fr,Mars,25:00,10\n12,nl,,,\n+442079460002,nl,,,\n';
  const { status, stderr, stdout } = await importing(folder, csv);
  t.equal(status, 1);
  for (const said of [
    'line 2, column 2: "fr" is no language of the campaign; one of nl, en',
    'line 2, column 3: "Mars" is no time zone; an IANA name',
    'line 2, column 4: "25:00" is no time of day; write HH:MM',
    'line 2, column 5: "10" is no priority',
    'line 3, column 1: a number of the class short-code; write the whole number',
  ])
    t.match(stderr, said);
  t.match(stdout, '1 contacts, 0 on a do-not-call list, 2 bad lines: nothing was changed');
  t.match((await balise(['campaign', 'list', '--site', folder.path])).stdout, '0 contacts');
  t.match(await importing(folder, csv, '--skip-bad'), { status: 0, stdout: /1 new contacts.*2 lines left out/ });
  t.match(await importing(folder, 'phone\n1\n'), { status: 64, stderr: /no column is named number/ });
});

t.test('a list may come from another program: read once, it is taken whole or not at all', async (t) => {
  const folder = await withTrains(t);
  const from = (csv: string) => balise(['campaign', 'import', '--site', folder.path, '--campaign', 'trains', '-'], csv);
  t.match(await from('number\n+442079460001\n12\n+442079460002\n'), { status: 1, stdout: /nothing was changed/ });
  t.match(await from('number\n+442079460001\n+442079460002\n+442079460001\n'), {
    status: 0,
    stdout: /2 new contacts, 1 known already/,
  });
});

t.test(
  'what a spreadsheet or a hand may do to a list is told by line, and takes no line with it in silence',
  async (t) => {
    const folder = await withTrains(t);
    const refused = (csv: string, why: RegExp) =>
      importing(folder, csv).then((said) => t.match(said, { status: /^(1|64)$/, stderr: why }));
    await refused(
      'number,name\n+442079460001,"Jan\n+442079460002,x\n',
      /line 2, column 1: a quotation mark that is opened here and not closed; .*lines up to 3 were read with it/,
    );
    await refused(
      'number,earliest,latest\n+442079460001,10:00,10:00\n',
      /line 2, column 3: the same time as the earliest/,
    );
    await refused('number,latest\n+442079460001,00:00\n', /line 2, column 2: the same time/);
    await refused('number,number\n+442079460001,+442079460002\n', /two columns are named number; .*--map number=/);
    t.match(await importing(folder, '\ufeffNumber;Name\r\n"+44 20 7946 0001";5" pipe\r\n\r\n+442079460002;x\r\n'), {
      status: 0,
      stdout: /2 new contacts/,
    });
  },
);

t.test(
  'contacts that wait until their file is known whole come back as they were; no file of theirs has a name',
  async (t) => {
    const spill = new ContactSpill('trains');
    t.teardown(() => spill.close());
    const seal = new NumberSeal(Buffer.alloc(32, 1));
    const places = [
      { country: 'BE', zones: ['Europe/Brussels'] },
      { country: 'RU', zones: ['Europe/Moscow', 'Asia/Vladivostok'] },
    ];
    const parts = [3, 1, 40].map((count, part) =>
      Array.from({ length: count }, (_, n): NewContact => {
        const names = seal.names(`+44207946${part}${String(n).padStart(3, '0')}` as E164);
        const place = places[n % 2] ?? { country: 'BE', zones: [] };
        const times = n % 3 === 0 ? {} : { earliest: '09:00', latest: '24:00' };
        const sealed = seal.seal('+442079460001' as E164, names.token, n % 2 === 0);
        return { campaign: 'trains', ...names, sealed, language: 'nl', place, times, priority: n % 10 };
      }),
    );
    for (const part of parts) spill.put(part);
    t.same([...spill.parts()], parts);
    t.same([...spill.parts()], parts, 'as often as they are asked for');
    const names = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        // The descriptor by which the folder itself was read.
        return '';
      }
    });
    t.match(
      names.filter((name) => name.includes('balise-import-')),
      [/ \(deleted\)$/],
    );
  },
);

t.test('no number is on disk in clear, nor said at the terminal, in any form', async (t) => {
  const folder = await withTrains(t);
  const numbers = Array.from({ length: 50 }, (_, n) => `+4420794600${String(n).padStart(2, '0')}`);
  const { stdout, stderr } = await importing(
    folder,
    `number\n${numbers.join('\n')}\n+4420794600999999\n`,
    '--skip-bad',
  );
  const { dataFolder } = await folder.load();
  const held = readdirSync(dataFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'));
  const found = [stdout, stderr, ...held].some((text) => text.includes('20794600') || text.includes('7946 00'));
  t.notOk(found);
  t.match(stderr, /line 52, column 1: no telephone number/);
  t.ok(readdirSync(dataFolder).includes('contacts.key'));
});

t.test('with another key the contacts do not open, and that is found out before anything is added', async (t) => {
  const folder = await withTrains(t);
  await importing(folder, 'number\n+442079460001\n');
  const { dataFolder } = await folder.load();
  writeFileSync(join(dataFolder, 'contacts.key'), Buffer.alloc(32, 7));
  t.match(await importing(folder, 'number\n+442079460002\n'), { status: 78, stderr: /not the key/ });
  writeFileSync(join(dataFolder, 'contacts.key'), 'short');
  t.match(await importing(folder, 'number\n+442079460002\n'), { status: 78, stderr: /holds 5 bytes/ });
});

t.test(
  'what callees are told is firm and purpose, or the campaign’s own words, spoken in each language',
  needs('espeak-ng', 'sox'),
  async (t) => {
    const folder = await aSite(t);
    const { dataFolder } = await folder.load();
    const soundOf = (language: string) => join(dataFolder, 'prompts', language, 'campaign.trains.alaw');
    const own = JSON.parse(readFileSync(file(folder, 'trains.json'), 'utf8')) as object;
    writeFileSync(
      file(folder, 'trains.json'),
      JSON.stringify({ ...own, announcement: { en: 'Hello, a word about trains.' } }),
    );
    t.match(await balise(['campaign', 'set', '--site', folder.path, file(folder, 'trains.json')]), { status: 0 });
    const store = await opened(folder);
    t.teardown(() => store.close());
    t.match(store.work.campaigns(), [
      { announcement: { nl: /Example Research.*a survey about trains/, en: 'Hello, a word about trains.' } },
    ]);
    const [nl, en] = [readFileSync(soundOf('nl')), readFileSync(soundOf('en'))];
    t.ok(nl.length > 16_000 && nl.length < 240_000, `${nl.length / 8_000} s of sound`);
    t.ok(en.length > 4_000 && en.length < nl.length);
  },
);

t.test(
  'a recording that is none, or is of a language that the campaign does not speak, is refused, and nothing changes',
  async (t) => {
    const folder = await aSite(t);
    const { dataFolder } = await folder.load();
    const set = (sound: string) =>
      balise(['campaign', 'set', '--site', folder.path, '--sound', sound, file(folder, 'trains.json')]);
    writeFileSync(file(folder, 'wave.alaw'), 'RIFFwave');
    t.match(await set(`tr=${file(folder, 'wave.alaw')}`), { status: 64, stderr: /does not speak it/ });
    t.match(await set(`nl=${file(folder, 'none.alaw')}`), { status: 64, stderr: /ENOENT/ });
    t.match(await set(`nl=${file(folder, 'wave.alaw')}`), { status: 64, stderr: /without a header/ });
    t.notOk(existsSync(join(dataFolder, 'prompts')));
    const store = await opened(folder);
    t.teardown(() => store.close());
    t.same(store.work.campaigns(), []);
  },
);

t.test('a campaign that came with the signed policy is spoken by a command of its own', async (t) => {
  const folder = await aSite(t);
  const { dataFolder } = await folder.load();
  const store = await opened(folder);
  t.teardown(() => store.close());
  const campaign = JSON.parse(readFileSync(file(folder, 'trains.json'), 'utf8')) as Campaign;
  store.work.takeCampaigns([campaign]);
  writeFileSync(file(folder, 'said.alaw'), Buffer.alloc(800, 0xd5));
  const sounds = campaign.languages.flatMap((language) => ['--sound', `${language}=${file(folder, 'said.alaw')}`]);
  const speak = (id: string) => balise(['campaign', 'speak', '--site', folder.path, ...sounds, id]);
  t.match(await speak('planes'), { status: 64, stderr: /there is no campaign planes/ });
  t.match(await speak('trains'), { status: 0, stdout: /trains: callees are told of it in nl en/ });
  for (const language of campaign.languages)
    t.ok(existsSync(join(dataFolder, 'prompts', language, 'campaign.trains.alaw')), language);
});
