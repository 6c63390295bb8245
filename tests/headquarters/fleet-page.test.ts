/** The fleet page in a real Chromium: a real uplink below, a real broker between. `BALISE_SCREENSHOTS=<folder>` keeps pictures. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import t, { type Test } from 'tap';
import type { CutoffCommand, Ed25519PublicKey } from '../../config/schema/types.generated.js';
import { handsetId } from '../../gateway/policy/ids.js';
import { putAccount } from '../../scripts/headquarters/accounts.js';
import { type RunningFleetServer, startFleetServer } from '../../scripts/headquarters/fleet-server.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { needs } from '../peers/needs.js';
import { A101, aRecord, callNumber } from '../store/samples.js';
import { aBroker, anUplink, draft, GATEWAY } from '../uplink/world.js';
import { aDatabase, anIngester, clock, held, until } from './world.js';

const PASSWORD = 'correct horse battery';

/** Headquarters with a gateway that has one call up, refusals and an alarm behind it. */
async function aFleet(t: Test) {
  const broker = await aBroker(t);
  const db = await aDatabase(t);
  const { privateJwk, publicJwk } = await newSigningKey('hq-1');
  const ingester = await anIngester(t, { url: broker.url, db, key: privateJwk });
  const call = callNumber(1);
  const orders: CutoffCommand[] = [];
  const handsets = ['a-101', 'a-102', 'b-201'].map((id) => ({ id: handsetId(id), wing: id.slice(0, 1) }));
  const { store, uplink } = anUplink(t, {
    url: broker.url,
    keys: [publicJwk as unknown as Ed25519PublicKey],
    handsets,
    zone: 'Europe/Brussels',
    onCommand: async (command) => {
      if (command.type !== 'cutoff') return { outcome: 'done' };
      orders.push(command);
      const record = aRecord(call, clock.wall(), { cause: 'cutoff', talkMs: 5_000 });
      uplink.observer.ended(record);
      return {
        outcome: 'done',
        result: { calls: 1, silentMs: 3.4, byesSentMs: 12.6, relaysOpenMs: 41, complete: true },
      };
    },
  });
  uplink.start();
  const refusal = (n: number, rule: string) => ({
    kind: 'event' as const,
    type: 'balise.call.refused',
    data: {
      call: callNumber(n),
      handset: 'a-102',
      wing: 'a',
      requestedAt: clock.wall().toString(),
      endedAt: clock.wall().toString(),
      talkMs: 0,
      cause: 'refused',
      rule,
      planes: {},
    },
  });
  const refusals = ['number.not-sanctioned', 'number.not-sanctioned', 'window.callee'].map((rule, n) =>
    refusal(n + 10, rule),
  );
  const ended = {
    ...refusal(30, 'x'),
    type: 'balise.call.ended',
    data: { ...refusal(30, 'x').data, cause: 'deadline', rule: undefined },
  };
  const alarm = { ...draft(1, 'alarm'), data: { message: 'Board b1 does not answer.', why: 'line.lost' } };
  store.calls.append([...refusals, JSON.parse(JSON.stringify(ended)) as typeof ended, alarm]);
  for (const [name, role] of [
    ['duty', 'operator'],
    ['guest', 'viewer'],
  ] as const) {
    await putAccount(db, name, role, PASSWORD, Date.now());
  }
  const server = await startFleetServer({ address: '127.0.0.1', port: 0, db, clock, ingester });
  t.teardown(() => server.close());
  await until(async () => (await held(db, GATEWAY)).length === 5);
  const talk = () => uplink.observer.handset(A101, 'talking', { call, until: clock.wall().add({ minutes: 12 }) });
  return { db, server, talk, orders };
}

async function aPage(t: Test, viewport: { width: number; height: number }): Promise<Page> {
  const folder = mkdtempSync(join(tmpdir(), 'balise-chromium-'));
  const browser = await chromium.launchPersistentContext(folder, {
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
    viewport,
  });
  t.teardown(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const page = await browser.newPage();
  page.on('pageerror', (fault) => t.fail(`the page has a fault: ${fault.message}`));
  page.on('console', (said) => {
    if (said.type() === 'error' && !said.text().includes('401')) t.fail(`the page complains: ${said.text()}`);
  });
  return page;
}

async function logIn(page: Page, server: RunningFleetServer, name: string, password = PASSWORD): Promise<void> {
  if (!page.url().startsWith(server.url)) await page.goto(server.url);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.BALISE_SCREENSHOTS;
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

t.test(
  'a duty officer logs in, sees a call count down, cuts it and reads how long that took',
  needs('chromium', 'mosquitto'),
  async (t) => {
    const { server, talk, orders } = await aFleet(t);
    const page = await aPage(t, { width: 1366, height: 900 });
    await logIn(page, server, 'duty', 'a wrong password');
    await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor();
    await logIn(page, server, 'duty');
    await page.getByText('duty, operator').waitFor();
    t.same(await page.locator('h3').allTextContents(), ['Wing a', 'Wing b'], 'handsets by their wings');
    talk();
    const tile = page.locator('[data-handset="a-101"]');
    await tile.getByText('talking').waitFor();
    const left = async () => (await tile.locator('.left').textContent()) ?? '';
    await until(async () => /^1[12]:\d\d$/.test(await left()));
    const first = await left();
    await until(async () => (await left()) !== first);
    t.pass(`it counts down: ${first}, ${await left()}`);
    await picture(page, 'desktop');
    await page.getByRole('button', { name: 'Cut handset a-101 of demo/gw-1' }).click();
    await page.getByLabel('Reason').fill('the yard alarm');
    await page.getByRole('button', { name: 'Cut now' }).click();
    const said = page.locator('#cut-result');
    await said.filter({ hasText: 'Done' }).waitFor();
    t.match(
      await said.textContent(),
      /1 call cut, silent after 3 ms, BYE after 13 ms, relay open after 41 ms, answer here after \d+ ms/,
    );
    await picture(page, 'cut');
    t.match(orders, [
      { by: 'duty', reason: 'the yard alarm', target: { kind: 'handset', handset: 'a-101' }, hold: 10_000 },
    ]);
    await page.getByRole('button', { name: 'Close' }).click();
    await tile.getByText('cut: cutoff').waitFor();
    t.same(await page.locator('#refusals .bars > :not(svg)').allTextContents(), [
      'number.not-sanctioned',
      '2',
      'window.callee',
      '1',
    ]);
    t.equal(await page.locator('#zone-a').inputValue(), 'Europe/Brussels', "the site's zone comes first");
    await page.locator('#zone-b').selectOption('Asia/Tokyo');
    await page.locator('#hours title', { hasText: 'Asia/Tokyo' }).waitFor({ state: 'attached' });
    await page.getByText('Board b1 does not answer.').waitFor();
    await page.getByRole('button', { name: 'Acknowledge' }).first().click();
    await page.getByText('Board b1 does not answer.').waitFor({ state: 'detached' });
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Calls of 30 days' }).click();
    t.equal((await download).suggestedFilename(), 'calls.csv');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
  },
);

t.test('on a tablet the page fits, and a viewer is offered no order', needs('chromium', 'mosquitto'), async (t) => {
  const { server, talk } = await aFleet(t);
  const page = await aPage(t, { width: 768, height: 1024 });
  await logIn(page, server, 'guest');
  await page.getByText('guest, viewer').waitFor();
  talk();
  await page.locator('[data-handset="a-101"]').getByText('talking').waitFor();
  await page.locator('#hours svg').waitFor();
  const [width, view] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as [number, number];
  t.ok(width <= view, `nothing is cut off: ${width} of ${view} pixels`);
  t.equal(await page.getByRole('button', { name: /Cut|Acknowledge/ }).count(), 0);
  await picture(page, 'tablet');
});
