/** Policy and the work's results on the fleet page, in a real Chromium. `BALISE_SCREENSHOTS=<folder>` keeps pictures. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { signBundle } from '../../gateway/policy-bundle/bundle.js';
import type { BundleAnswer } from '../../gateway/policy-bundle/inbox.js';
import { Uplink } from '../../gateway/uplink/uplink.js';
import { putAccount } from '../../scripts/headquarters/accounts.js';
import { startFleetServer } from '../../scripts/headquarters/fleet-server.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { needs } from '../peers/needs.js';
import { profile } from '../peers/site.js';
import { aFolder, aStore } from '../store/folder.js';
import { silent } from '../store/samples.js';
import { aBroker } from '../uplink/world.js';
import { aDatabase, anIngester, clock, until } from './world.js';

const PASSWORD = 'correct horse battery';
const GATEWAY = 'demo/gw-1';

/** Headquarters, and a gateway that takes each newer bundle. */
async function aFleet(t: Test) {
  const broker = await aBroker(t);
  const db = await aDatabase(t);
  const { privateJwk } = await newSigningKey('hq-1');
  const ingester = await anIngester(t, { url: broker.url, db, key: privateJwk });
  const store = aStore(t, { clock });
  const taken: string[] = [];
  const onPolicy = async (text: string): Promise<BundleAnswer> => {
    if (text.includes('none')) return { state: 'refused', why: 'malformed', detail: 'it is none' };
    taken.push(text);
    return { state: 'done', version: taken.length, widens: taken.length === 1 ? ['x', 'y'] : [], wasInForce: false };
  };
  const uplink = new Uplink({
    config: { url: broker.url, commandKeys: [], tokenKey: Buffer.alloc(32, 1).toString('base64'), statusS: 30 },
    ...{ gatewayId: GATEWAY, version: '0.1.0', bootId: 'boot-1', clock, store: store.outbox, log: silent, onPolicy },
    status: () => ({ zone: 'Europe/Brussels', clock: { trusted: true }, disk: store.roomLeft() }),
    onCommand: async () => ({ outcome: 'done' }),
  });
  uplink.start();
  t.teardown(() => uplink.stop());
  const outcome = (disposition: string, more: object = {}) => ({
    ...{ kind: 'event' as const, type: 'balise.work.contact' },
    data: {
      ...{ session: '00000000-0000-7000-8000-000000000001', person: 'p-1', campaign: 'survey', language: 'nl' },
      ...{ contact: 'token-of-a-contact', disposition, at: clock.wall().toString(), ...more },
    },
  });
  store.onAppended(() => uplink.wake());
  const drafts = [
    outcome('completed'),
    outcome('completed'),
    outcome('refused'),
    outcome('refused', { mystery: true }),
  ];
  store.work.append(drafts);
  for (const [name, role] of [
    ['duty', 'operator'],
    ['guest', 'viewer'],
  ] as const)
    await putAccount(db, name, role, PASSWORD, Date.now());
  const server = await startFleetServer({ address: '127.0.0.1', port: 0, db, clock, ingester });
  t.teardown(() => server.close());
  await until(async () => (await db.all('SELECT sequence FROM event')).length === drafts.length);
  return { server, taken };
}

async function aPage(t: Test): Promise<Page> {
  const folder = mkdtempSync(join(tmpdir(), 'balise-chromium-'));
  const still = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
  const browser = await chromium.launchPersistentContext(folder, {
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', ...still],
    viewport: { width: 1366, height: 900 },
  });
  t.teardown(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const page = await browser.newPage();
  page.on('pageerror', (fault) => t.fail(`the page has a fault: ${fault.message}`));
  return page;
}

async function logIn(page: Page, url: string, name: string): Promise<void> {
  await page.goto(url);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText(`${name}, `).waitFor();
}

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.BALISE_SCREENSHOTS;
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

t.test(
  'a signed bundle is chosen, its changes are read, it is sent, and the gateway’s answer is read; a viewer sends none',
  needs('chromium', 'mosquitto'),
  async (t) => {
    const { server, taken } = await aFleet(t);
    const keys = await Promise.all(['one', 'two'].map((kid) => newSigningKey(kid)));
    const folder = aFolder(t);
    const bundle = async (version: number, validOfflineH: number): Promise<string> => {
      const content = { profiles: [profile()], lists: { sanctioned: ['+442079460*'] } };
      const payload = { site: 'demo', version, validFrom: '2026-01-01T00:00:00Z', validOfflineH, content };
      let text = '';
      for (const { privateJwk } of keys)
        text = await signBundle(Buffer.from(JSON.stringify(payload)), privateJwk, text);
      const file = join(folder, `policy-${version}.jws`);
      writeFileSync(file, text);
      return file;
    };
    const page = await aPage(t);
    await logIn(page, server.url, 'duty');
    await page.getByRole('button', { name: `Send policy to ${GATEWAY}` }).click();
    const go = page.getByRole('button', { name: 'Send to the gateway' });
    const said = page.locator('#policy-result');
    writeFileSync(join(folder, 'none.txt'), 'hello');
    await page.getByLabel('Signed bundle').setInputFiles(join(folder, 'none.txt'));
    await said.filter({ hasText: 'It is no bundle' }).waitFor();
    t.ok(await go.isDisabled());
    await page.getByLabel('Signed bundle').setInputFiles(await bundle(1, 24));
    await page.getByText('signed by one and two; all of it is new to headquarters').waitFor();
    t.same(taken, [], 'nothing is sent before it was read');
    await go.click();
    await said.filter({ hasText: /Version 1 is in force, answer here after \d+ ms. It widens in 2 things/ }).waitFor();
    await page.getByLabel('Signed bundle').setInputFiles(await bundle(2, 12));
    await page.getByText('compared with version 1').waitFor();
    t.same(await page.locator('#policy-preview td').allTextContents(), [
      ...['/version', '1', '2'],
      ...['/validOfflineH', '24', '12'],
    ]);
    await picture(page, 'policy');
    await go.click();
    await said.filter({ hasText: 'It only narrows' }).waitFor();
    t.equal(taken.length, 2);
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await logIn(page, server.url, 'guest');
    await page.locator('h2', { hasText: 'demo' }).waitFor();
    t.equal(await page.getByRole('button', { name: /policy/i }).count(), 0);
  },
);

t.test(
  'results of the work are bars by the hour, and the same numbers as tables',
  needs('chromium', 'mosquitto'),
  async (t) => {
    const { server } = await aFleet(t);
    const page = await aPage(t);
    await logIn(page, server.url, 'guest');
    await page.getByRole('table', { name: 'Outcomes of survey' }).waitFor();
    t.same(await page.locator('#work-outcomes td').allTextContents(), [
      ...['nl', 'completed', '2'],
      ...['nl', 'refused', '1'],
    ]);
    t.match(await page.locator('#work-hours title').textContent(), /^Calls by hour: \d+ h: 2 completed, 1 other$/);
    await picture(page, 'work');
    await page.locator('#work-kind').selectOption('mystery');
    t.same(await page.locator('#work-outcomes td').allTextContents(), ['nl', 'refused', '1']);
    const [width, view] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as [
      number,
      number,
    ];
    t.ok(width <= view);
  },
);
