/** The console's board, its calls and its handsets in a real Chromium: what a technician and a supervisor do there. */
import t from 'tap';
import { needs } from '../peers/needs.js';
import { isAccessible } from './accessible.js';
import { NOW_MS } from './web-sample.js';
import { aBrowser, aPage, FIRST, picture, shows, webHouse } from './web-site.js';
import { comeIn, DIALOG, fits, focused, goTo } from './web-visit.js';

const opts = needs('chromium');

t.test('in the browser', opts, async (t) => {
  const browser = await aBrowser(t);
  const house = await webHouse(t, [FIRST]);

  // A page that is open already is half a second less for each that only looks on.
  const desk = await aPage(t, browser, {}, (text) => /status of 409/.test(text));
  await comeIn(desk, house);

  await t.test('a supervisor scores a call of the work; nobody else is shown a sheet', async (t) => {
    await goTo(desk, '#/work');
    t.equal(await desk.getByText('Score sheets').count(), 0, 'an administrator is not');
    const house = await webHouse(t, ['supervisor']);
    const page = await aPage(t, browser);
    const value = await house.logIn('supervisor');
    await page.context().addCookies([{ name: 'balise-session', value, url: house.console.url }]);
    await page.goto(`${house.console.url}/#/work`);
    await page.getByRole('button', { name: /^Score: p-1/ }).click();
    const keep = page.getByRole('button', { name: 'Keep the score' });
    t.ok(await keep.isDisabled(), 'not before the sheet is whole');
    await page.getByLabel('Keeps to the script').selectOption('3');
    await page.getByLabel('Is friendly, and lets the other speak').selectOption('5');
    await isAccessible(t, page, 'the score sheet', DIALOG);
    await picture(page, 'work-score', false);
    await keep.click();
    await page.getByText('The score is kept.').waitFor();
    await page.getByRole('button', { name: /^Score again: p-1/ }).waitFor();
    t.same(house.site.orders, ['score talked-1 {"script":3,"tone":5} console:supervisor']);
    await isAccessible(t, page, 'the score sheets');
    await fits(t, page, 'the score sheets');
    await picture(page, 'work-supervisor');
  });

  await t.test('a call appears, counts down, and its refusal says why', async (t) => {
    const page = desk;
    await goTo(page, '#/');
    const tile = page.locator('[data-handset="a-101"]');
    await tile.getByText('On hook').waitFor();
    const until = new Date(Date.now() + 65_000).toISOString();
    house.site.now('a-101', { phase: 'talking', hook: 'off', call: 'call-9', leftS: 65, grantS: 1800, until });
    await tile.getByText('Talking').waitFor();
    const left = async () => (await tile.locator('.ring text').textContent()) ?? '';
    const first = await left();
    t.match(first, /^1:0\d$/);
    await shows(page, async () => (await left()) !== first);
    house.site.now('a-101', {
      phase: 'idle',
      hook: 'on',
      leftS: undefined,
      grantS: undefined,
      until: undefined,
      rule: 'number.not-sanctioned',
      fact: 'the number is on no list',
    } as never);
    await tile.getByText('Number not sanctioned').waitFor();
    await tile.click();
    await page.getByRole('heading', { name: 'Handset a-101' }).waitFor();
    await page.getByText('the number is on no list').first().waitFor();
  });

  await t.test('the board filters by state, by wing and by name, and the address keeps it', async (t) => {
    const page = desk;
    await goTo(page, '#/');
    await page.getByRole('button', { name: /Refused/ }).click();
    t.match(page.url(), /state=refused/);
    await page.getByLabel('Wing', { exact: true }).selectOption('b');
    await shows(page, async () => (await page.locator('.tile').count()) === 1);
    t.equal(await page.locator('.tile').getAttribute('data-handset'), 'b-207');
    await page.getByLabel('Find a handset').fill('zzz');
    await page.getByText('No handset matches.').waitFor();
    await page.getByRole('button', { name: 'Show all handsets' }).click();
    await shows(page, async () => (await page.locator('.tile').count()) === 26);
  });

  await t.test('a cutoff takes a reason and two steps, and shows what was measured', async (t) => {
    const page = await aPage(t, browser, { viewport: { width: 1024, height: 768 } });
    await comeIn(page, house);
    const opener = page.getByRole('button', { name: 'Cut off… Wing A' });
    await opener.click();
    await isAccessible(t, page, 'the first step', DIALOG);
    t.ok(await page.getByRole('button', { name: 'Continue' }).isDisabled(), 'not without a reason');
    await page.getByLabel('Reason').fill('the yard alarm');
    await picture(page, 'cut-1', false);
    await page.keyboard.press('Enter');
    await page.getByText('Step 2 of 2').waitFor();
    await page.keyboard.press('Enter');
    t.same(house.site.orders, [], 'Enter pressed twice cuts nothing');
    await isAccessible(t, page, 'the second step', DIALOG);
    await picture(page, 'cut-2', false);
    await page.getByRole('button', { name: 'Cut off now' }).click();
    await page.getByText('Done. 1 call ended.').waitFor();
    await page.getByText('3.4 ms').waitFor();
    await picture(page, 'cut-3', false);
    t.same(house.site.orders, ['cut {"kind":"wing","wing":"a"} the yard alarm until-released console:duty']);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    t.equal(await focused(page), 'Cut off… Wing A', 'the focus is back where it was');
  });

  await t.test('when can it call: the rule, the fact, the first instant, and the week in both zones', async (t) => {
    const page = await aPage(t, browser, { timezoneId: 'Europe/Brussels' });
    await page.clock.setFixedTime(NOW_MS);
    await comeIn(page, house);
    await goTo(page, '#/handsets/a-105?zone=Europe/London');
    await page.getByLabel('or country').selectOption('TR');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText('It may call from Tue 24 Nov, 08:00 (10:00 in Istanbul).').waitFor();
    t.equal(await page.getByLabel('Compare with the time in').inputValue(), 'Europe/Istanbul', 'the week follows');
    await page.getByText('The same as text').click();
    const monday = page.getByRole('row', { name: /Mon 23 Nov/ });
    t.match(await monday.textContent(), /08:00–11:00, 12:35–16:25/, 'open where both are');
    await isAccessible(t, page, 'the week as text', { within: '.week-card' });
    await picture(page, 'when');
  });

  await t.test('the line test says what the board said', async () => {
    const page = desk;
    await goTo(page, '#/handsets/a-101');
    await page.getByRole('button', { name: 'Test the line' }).click();
    await page.getByText('The line is well.').waitFor();
    await page.getByText('opened after 41 ms, closed after 64 ms').waitFor();
  });

  await t.test(
    'boards are looked for where no agent is, and are added by names of the technician’s choice',
    async (t) => {
      const page = desk;
      await goTo(page, '#/new-cell');
      await page
        .getByLabel('Port', { exact: true })
        .selectOption({ label: '/dev/serial/by-id/usb-FTDI_USB-RS485_BAL1: held by the agent modbus-1' });
      await page.getByRole('button', { name: 'Look for boards' }).click();
      await page.getByRole('alert').filter({ hasText: 'takes no second master' }).waitFor();
      await page.getByLabel('Port', { exact: true }).selectOption('/dev/serial/by-id/usb-FTDI_USB-RS485_BAL2');
      await page.getByLabel('Baud').selectOption('115200');
      await page.getByLabel('Last unit id').fill('8');
      await page.getByRole('button', { name: 'Look for boards' }).click();
      await page.getByRole('button', { name: 'Asking unit 1 of 8' }).waitFor();
      const match = { kind: 'generic-8r8i', isCertain: false, isExact: true, facts: ['8 relays'] };
      house.site.finds([{ unit: 5, tookMs: 3.1, matches: [match, { ...match, kind: 'waveshare-8r8i' }] }]);
      await page.getByText('One board answers on /dev/serial/by-id/usb-FTDI_USB-RS485_BAL2.').waitFor();
      await isAccessible(t, page, 'what a scan found', { within: '.scan-result' });
      await fits(t, page, 'what a scan found');
      await picture(page, 'scan');
      await page.getByLabel('Name of unit 5').fill('b1');
      await page.getByRole('button', { name: 'Add the board' }).click();
      await page.getByRole('alert').filter({ hasText: 'There is a board of this name already.' }).waitFor();
      await page.getByLabel('Name of unit 5').fill('late');
      await page.getByLabel('Kind of unit 5').selectOption('waveshare-8r8i');
      await page.getByRole('button', { name: 'Add the board' }).click();
      await page.getByText('Written to boards.json: late.').waitFor();
      const transport = { kind: 'serial', baud: 115_200 };
      t.match(JSON.parse(house.site.orders.at(-1)?.slice('boards '.length) ?? ''), [
        { id: 'late', device: 'waveshare-8r8i', unit: 5, transport },
      ]);
    },
  );

  await t.test('a phone is replaced, and what is to be set at the new one is shown once', async (t) => {
    const page = desk;
    await goTo(page, '#/handsets/a-101');
    await page.getByText('signed on as it was provisioned').waitFor();
    await page.getByRole('button', { name: 'Replace the phone' }).click();
    await isAccessible(t, page, 'the dialog of another phone', DIALOG);
    await page.getByLabel('MAC address').fill('C0:74:AD:00:02:09');
    await page.getByRole('button', { name: 'Replace it' }).click();
    await page.getByText('Shown once.').waitFor();
    await isAccessible(t, page, 'what is to be set at it', DIALOG);
    await picture(page, 'replaced', false);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    t.notMatch(await page.content(), 'sampletoken23456', 'and is then nowhere on the page');
    house.site.isServing = false;
    await page.getByRole('button', { name: 'Replace the phone' }).click();
    await page.getByLabel('MAC address').fill('C0:74:AD:00:02:09');
    await page.getByRole('button', { name: 'Replace it' }).click();
    await page.getByText('This gateway serves no phones').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    house.site.isServing = true;
    t.match(
      house.site.orders.at(-1),
      '{"do":"replace","id":"a-101","phone":{"model":"HT814","mac":"C0:74:AD:00:02:09"}}',
    );
  });

  await t.test(
    'a handset is removed in two steps with a reason, and Enter pressed twice removes nothing',
    async (t) => {
      const page = desk;
      await goTo(page, '#/handsets/a-102');
      const orders = house.site.orders.length;
      await page.getByRole('button', { name: 'Remove', exact: true }).click();
      t.ok(await page.getByRole('button', { name: 'Continue' }).isDisabled(), 'not without a reason');
      await page.getByLabel('Reason').fill('the cell is closed');
      await page.keyboard.press('Enter');
      await page.getByText('Step 2 of 2').waitFor();
      await page.keyboard.press('Enter');
      t.equal(house.site.orders.length, orders);
      await isAccessible(t, page, 'the second step of a removal', DIALOG);
      await picture(page, 'remove-2', false);
      await page.getByRole('button', { name: 'Remove it now' }).click();
      await page.getByRole('heading', { name: 'Board' }).waitFor();
      t.equal(house.site.orders.at(-1), '{"do":"remove","id":"a-102","reason":"the cell is closed"}');
    },
  );
});
