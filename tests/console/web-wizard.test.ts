/** The whole program in Chromium: from a wire in the wall to a call that a supervisor hears and ends. */
import { mkdirSync } from 'node:fs';
import { get } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import t from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { startBoard } from '../../scripts/simulators/board.js';
import { boardPeer } from '../peers/board-peer.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { carrierPeer } from '../peers/scenario.js';
import { Sipp } from '../peers/sipp.js';
import { handset, makeSite, profile } from '../peers/site.js';
import { isAccessible } from './accessible.js';
import { writePeople } from './house.js';
import { aBrowser, aPage, PASSWORD, picture, shows } from './web-site.js';

const tests = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'tests');
const ALLOWED = '+442079460001';
const MAC = 'c074ad000201';

const fetched = (url: string): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    }).on('error', reject);
  });
const pValue = (body: string, name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? '';
const termOf = async (page: Page, name: string): Promise<string> =>
  (await page.locator('.armed .term').filter({ hasText: name }).locator('dd').textContent()) ?? '';

async function logIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Board' }).waitFor();
}

t.test('from board to test call by the walk of a new cell', needs('chromium', 'sip-tester'), async (t) => {
  const [trunkPort, known, board] = await Promise.all([freePort(), boardPeer(t), startBoard({ port: 0, units: [7] })]);
  t.teardown(() => board.close());
  const site = makeSite(t, trunkPort, {
    site: { provisioning: { port: 0, http: true } },
    profiles: [profile({ hookRequired: true, supervised: true })],
    boards: known.boards,
    handsets: [handset('a-101', { line: known.line })],
  });
  // Their passwords are hashed at a small cost: the real one, half a second a log-in, has tests of its own.
  mkdirSync(join(site, 'data'), { mode: 0o700 });
  writePeople(join(site, 'data'), ['technician', 'supervisor']);
  const [gateway, browser, cell, trunk] = await Promise.all([
    GatewayProcess.start(t, site),
    aBrowser(t),
    RtpProbe.open(t),
    RtpProbe.open(t),
  ]);
  const page = await aPage(t, browser, { viewport: { width: 1024, height: 768 } });
  await page.goto(`http://127.0.0.1:${gateway.port('console')}`);
  await logIn(page, 'technician', PASSWORD);

  await page.getByRole('link', { name: 'New cell' }).click();
  await page.getByText('Board b1').waitFor();
  // The board of the new cell is one that the site does not know yet.
  await page.getByLabel('Port', { exact: true }).selectOption('tcp');
  await page.getByLabel('Its host').fill('127.0.0.1');
  await page.getByLabel('Its TCP port').fill(String(board.port));
  await page.getByLabel('First unit id').fill('7');
  await page.getByLabel('Last unit id').fill('7');
  await page.getByRole('button', { name: 'Look for boards' }).click();
  await page.getByLabel('Name of unit 7').waitFor();
  await isAccessible(t, page, 'the board that was found');
  await picture(page, 'wizard-found');
  await page.getByRole('button', { name: 'Add the board' }).click();
  await page.getByText('Added, and in use from now on: b7.').waitFor();
  await page.locator('.board-rows li').filter({ hasText: 'Board b7' }).getByText('up', { exact: true }).waitFor();
  await picture(page, 'wizard-added');

  await page.getByLabel('Name of the handset').fill('a-104');
  await page.locator('form').getByLabel('Board').selectOption('b7');
  await page.getByLabel('Relay', { exact: true }).fill('3');
  await page.getByLabel('Hook input').fill('3');
  await isAccessible(t, page, 'the beginning of the walk');
  await picture(page, 'wizard-begin');
  await page.getByRole('button', { name: 'Add the handset' }).click();
  await page.getByRole('heading', { name: 'Set up a-104' }).waitFor();
  await picture(page, 'wizard-board');

  const step = (name: string) => page.locator('.wizard-steps').getByRole('button', { name }).click();
  await step('Line');
  await page.getByText('seen on hook').and(page.locator('.good')).waitFor();
  board.setHook(3, true);
  await page.getByText('The hook, now: off hook').waitFor();
  board.setHook(3, false);
  await page.getByText('The hook, now: on hook').waitFor();
  await page.getByText('seen off hook').and(page.locator('.good')).waitFor();
  await page.getByRole('button', { name: 'Test the line' }).click();
  await page.getByText('The line is well.').waitFor();
  await isAccessible(t, page, 'the line’s step');
  await picture(page, 'wizard-line');

  await page.getByRole('button', { name: 'Next step' }).click();
  await page.getByLabel('Model').selectOption('HT802');
  await page.getByLabel('MAC address').fill('not an address');
  await page.getByRole('button', { name: 'Give it this phone' }).click();
  await page.getByRole('alert').filter({ hasText: '12 hexadecimal digits' }).waitFor();
  await page.getByLabel('MAC address').fill('C0:74:AD:00:02:01');
  await page.getByRole('button', { name: 'Give it this phone' }).click();
  await page.getByText('Shown once.').waitFor();
  const [url, file, token] = [
    await termOf(page, 'Configuration address'),
    await termOf(page, 'File it asks for'),
    await termOf(page, 'Token or password'),
  ];
  await isAccessible(t, page, 'the phone’s step');
  await picture(page, 'wizard-phone');
  t.equal((await fetched(`${url}${file.replace(MAC, 'c074ad000202')}`)).status, 404, 'nothing for another phone');
  const { status, body } = await fetched(`${url}${file}`);
  t.equal(status, 200);
  const [user, secret] = [pValue(body, 'P35'), pValue(body, 'P34')];
  t.equal(user, 'a104');
  await page.getByRole('button', { name: 'Next step' }).click();
  await page.getByText('Waiting for the phone to sign on').waitFor();
  t.notMatch(await page.content(), token, 'and is then nowhere on the page');

  const common = { remote: pValue(body, 'P47'), calls: 1 };
  const registering = await Sipp.start(t, {
    ...common,
    scenario: join(tests, 'provisioning', 'sipp', 'handset-registers.xml'),
    keys: { user, agent: `Grandstream HT802 1.0.33.4 ${MAC}` },
    args: ['-au', user, '-ap', secret],
  });
  t.match(await registering.exited, { code: 0 });
  await page.getByText('The phone has signed on.').waitFor();
  await page.getByText('Nothing of it differs').waitFor();
  await picture(page, 'wizard-registration');

  const calls = (scenario: string, dialled: string) =>
    Sipp.start(t, {
      ...common,
      scenario: join(tests, 'system', 'sipp', `${scenario}.xml`),
      keys: { user, dialled, rtp_port: cell.port },
      args: ['-au', user, '-ap', secret, '-d', '500', '-auth_uri', `${dialled}@${common.remote}`],
    });
  await page.getByRole('button', { name: 'Next step' }).click();
  await page.getByRole('button', { name: 'Test the audio' }).click();
  await page.getByText('key any number, and speak').waitFor();
  await picture(page, 'wizard-audio');
  const echoed = await calls('handset-hangs-up', '1');
  cell.talkTo(await echoed.audioPort());
  await page.getByText('its speech was played back').waitFor();
  await page.getByText(/Heard from the handset: [\d,]+ packets/).waitFor();
  t.match(await echoed.exited, { code: 0 });

  board.setHook(3, true);
  const far = await carrierPeer(t, 'carrier-answers', trunkPort, trunk.port);
  const near = await calls('handset-waits', ALLOWED);
  cell.talkTo(await near.audioPort());
  trunk.talkTo(await far.audioPort());
  await page.getByText('The handset, now: Talking').waitFor();
  await isAccessible(t, page, 'the test call');
  await picture(page, 'wizard-call');
  await page.getByRole('link', { name: 'Why, in full' }).click();
  await page.getByRole('heading', { name: 'Speech, as it stands' }).waitFor();
  const packets = async () =>
    Number((await page.getByRole('row', { name: 'Packets' }).locator('td').first().textContent())?.replace(',', ''));
  const first = await packets();
  await shows(page, async () => (await packets()) > first);
  t.equal(await page.getByRole('button', { name: 'Listen to this call' }).count(), 0, 'no technician listens');
  await picture(page, 'wizard-watched');

  const ear = await aPage(t, browser);
  await ear.goto(page.url().replace(/#.*/, ''));
  await logIn(ear, 'supervisor', PASSWORD);
  await ear.goto(page.url());
  await ear.getByRole('button', { name: 'Listen to this call' }).click();
  await shows(ear, async () => Number(await ear.evaluate("document.querySelector('audio').currentTime")) > 0.2);
  await ear.getByText('Who listens now').waitFor();
  t.equal(await page.getByText('Who listens now').count(), 0, 'and no technician sees who does');
  await isAccessible(t, ear, 'the call that is heard');
  await picture(ear, 'listening');
  await ear.getByRole('button', { name: 'End this call' }).click();
  await ear.getByRole('button', { name: 'End it now' }).click();
  t.match(await Promise.all([near.exited, far.exited]), [{ code: 0 }, { code: 0 }], 'both were told');
  await page.getByText('supervisor supervisor', { exact: true }).waitFor();
  await page.getByText('a listener', { exact: false }).first().waitFor();
  await picture(page, 'wizard-why');
});
