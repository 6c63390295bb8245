/** The console's pages in a real Chromium, behind the real console. `BALISE_SCREENSHOTS=<folder>` keeps pictures. */
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { needs } from '../peers/needs.js';
import { CONTRAST, isAccessible } from './accessible.js';
import { NOW_MS } from './web-sample.js';
import { aBrowser, aPage, FIRST, PASSWORD, picture, shows, type WebHouse, webHouse } from './web-site.js';

const opts = needs('chromium');

/** Every page of whoever may see all, by the name of its picture. */
const PAGES: Readonly<Record<string, string>> = {
  board: '#/',
  handset: '#/handsets/a-102',
  calls: '#/calls',
  call: '#/calls/cut-1',
  refusal: '#/calls/refused-1',
  lines: '#/lines',
  trunks: '#/trunks',
  work: '#/work',
  uplink: '#/uplink',
  audit: '#/audit',
  people: '#/people',
  account: '#/account',
  'new-cell': '#/new-cell',
  'new-cell-line': '#/new-cell/a-102?step=line',
  'new-cell-call': '#/new-cell/a-102?step=call',
  nowhere: '#/nowhere',
};

/** The page behind it has been looked at. */
const DIALOG = { within: 'dialog' };
/** Between them they have every colour. */
const IN_THE_DARK = ['board', 'handset', 'refusal'];

async function typeIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** The words of what has the focus. */
const focused = (page: Page): Promise<unknown> => page.evaluate('document.activeElement.textContent.trim()');

async function fits(t: Test, page: Page, what: string): Promise<void> {
  const wide = await page.evaluate(
    "[document.documentElement, ...document.querySelectorAll('.table-scroll')].filter((e) => e.scrollWidth > e.clientWidth).map((e) => [e.className, e.scrollWidth, e.clientWidth])",
  );
  t.same(wide, [], `nothing of ${what} is cut off`);
}

const SETTLED = "document.querySelector('.asking') === null && document.querySelector('h1') !== null";

async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await shows(page, async () => (await page.evaluate(SETTLED)) === true);
}

t.test('in the browser', opts, async (t) => {
  const browser = await aBrowser(t);
  const house = await webHouse(t, [FIRST]);
  const cookie = await house.logIn(FIRST);
  /** Opens the board with the log-in of the first person. */
  const comeIn = async (page: Page, to: WebHouse = house): Promise<void> => {
    await page.context().addCookies([{ name: 'balise-session', value: cookie, url: to.console.url }]);
    await page.goto(to.console.url);
    await page.getByRole('heading', { name: /^(Board|Bord|Tableau)$/ }).waitFor();
  };

  // A page that is open already is half a second less for each that only looks on.
  const desk = await aPage(t, browser, {}, (text) => /status of 409/.test(text));
  await comeIn(desk);

  await t.test('without the one-time link nobody comes in before the first person; with it, once', async (t) => {
    const house = await webHouse(t);
    const page = await aPage(t, browser);
    await page.goto(house.console.url);
    await page.getByText('Nobody has an account here yet.').waitFor();
    await isAccessible(t, page, 'the page without people');
    await page.goto(house.console.firstLink ?? '');
    await page.getByLabel('Name').fill('duty');
    await page.getByLabel('Password', { exact: true }).fill('herons');
    await page.getByLabel('New password again').fill('herons');
    await isAccessible(t, page, 'the first person’s page');
    await picture(page, 'first');
    await page.getByRole('button', { name: 'Create the account' }).click();
    await page.getByRole('alert').filter({ hasText: 'too weak' }).waitFor();
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByLabel('New password again').fill('another');
    await page.getByText('The two are not the same.').waitFor();
    t.ok(await page.getByRole('button', { name: 'Create the account' }).isDisabled());
    await page.getByLabel('New password again').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create the account' }).click();
    await page.getByRole('heading', { name: 'Board' }).waitFor();
    t.notMatch(page.url(), 'token', 'the token has left the address bar');
    const again = await aPage(t, browser);
    await again.goto(`${house.console.url}/#/first?token=used`);
    await again.getByLabel('Name').fill('other');
    await again.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await again.getByLabel('New password again').fill(PASSWORD);
    await again.getByRole('button', { name: 'Create the account' }).click();
    await again.getByRole('alert').filter({ hasText: 'not valid any more' }).waitFor();
  });

  await t.test('a wrong password says so, and a right one opens the board', async (t) => {
    const page = await aPage(t, browser);
    await page.goto(house.console.url);
    await typeIn(page, FIRST, 'a wrong password');
    await page.getByRole('alert').filter({ hasText: 'The name or the password is wrong.' }).waitFor();
    await isAccessible(t, page, 'the log-in page');
    await picture(page, 'log-in');
    await typeIn(page, FIRST, PASSWORD);
    await page.getByRole('heading', { name: 'Board' }).waitFor();
    t.same(await page.locator('.wing h2').allTextContents(), ['Wing A', 'Wing B']);
  });

  // A longer language on a narrower page: what fits there fits everywhere.
  for (const [theme, width, height, language] of [
    ['light', 1440, 900, 'en'],
    ['dark', 1024, 768, 'nl'],
    ['light', 768, 1024, 'fr'],
  ] as const) {
    await t.test(`every page reads and fits, ${theme}, ${width} by ${height}, ${language}`, async (t) => {
      const page = await aPage(t, browser, {
        viewport: { width, height },
        colorScheme: theme,
        timezoneId: 'Europe/Brussels',
        reducedMotion: 'reduce',
      });
      await page.clock.setFixedTime(NOW_MS);
      await page.addInitScript(`localStorage.setItem('balise-language', '${language}')`);
      await comeIn(page);
      const names = theme === 'dark' ? IN_THE_DARK : Object.keys(PAGES);
      for (const name of names) {
        const hash = PAGES[name] ?? '#/';
        await goTo(page, hash);
        if (width === 1440) await isAccessible(t, page, name);
        if (theme === 'dark') await isAccessible(t, page, `${name}, dark`, { only: CONTRAST });
        await fits(t, page, name);
        await picture(page, `${name}-${width}-${theme}`);
      }
      if (language === 'fr') {
        await goTo(page, '#/');
        await page.getByRole('button', { name: 'En montrer 1 de plus' }).click();
        await page.getByText('a-103 a parlé depuis 192.0.2.7, hors de son aile.').waitFor();
        await isAccessible(t, page, 'the alarms in full', { within: '.attention' });
        await picture(page, 'alarms-768-light');
        await goTo(page, '#/calls/cut-1');
        await page.getByText('l’appelé a répondu').waitFor();
      }
      const small = (await page.evaluate(
        "(location.hash = '#/', [...document.querySelectorAll('button, select, input, .tile, nav a')].filter((e) => e.getClientRects().length > 0 && !e.classList.contains('skip') && e.getBoundingClientRect().height < 44).map((e) => e.outerHTML))",
      )) as string[];
      t.same(small, [], 'whatever is touched is 44 pixels high');
    });
  }

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
    await comeIn(page);
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
    await comeIn(page);
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

  await t.test('a person is added with a role, and sees only what that role may', async (t) => {
    const page = await aPage(t, browser);
    await comeIn(page);
    await goTo(page, '#/people');
    await page.getByRole('button', { name: 'Add a person' }).click();
    await isAccessible(t, page, 'the new person’s dialog', DIALOG);
    await page.getByLabel('Name').fill('Night');
    await page.getByLabel('Language').selectOption('nl');
    await page.getByLabel('First password').fill('four slow barges');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('row', { name: /night/ }).waitFor();
    const other = await aPage(t, browser);
    await other.goto(house.console.url);
    await typeIn(other, 'night', 'four slow barges');
    await other.getByRole('heading', { name: 'Bord' }).waitFor();
    t.equal(await other.evaluate('document.documentElement.lang'), 'nl');
    t.same(await other.locator('nav.ways a').allInnerTexts(), [
      'Bord',
      'Gesprekken',
      'Werk',
      'Lijnen',
      'Operators',
      'Verbinding',
      'Nieuwe cel',
    ]);
    await goTo(other, '#/handsets/b-201');
    await other.getByRole('button', { name: 'Afsnijden… b-201' }).waitFor();
    t.equal(await other.getByRole('button', { name: /vrijgeven/i }).count(), 0, 'a technician is offered no release');
    await other.getByRole('link', { name: /night/ }).click();
    await other.getByLabel('Taal').selectOption('fr');
    await other.getByRole('heading', { name: 'Votre compte' }).waitFor();
    await other.getByRole('button', { name: 'Se déconnecter' }).click();
    await other.getByRole('heading', { name: 'Connexion' }).waitFor();
  });

  await t.test('with the keyboard alone: the skip button, then the heading of the page', async (t) => {
    const page = await aPage(t, browser);
    await comeIn(page);
    await shows(page, async () => (await page.evaluate('document.activeElement.tagName')) === 'H1');
    const skip = page.getByRole('button', { name: 'Skip to content' });
    // The skip button is the first of the page: as many steps back as there are before the heading lead to it.
    while ((await focused(page)) !== 'Skip to content') await page.keyboard.press('Shift+Tab');
    t.ok(await skip.isVisible(), 'it shows itself when it has the focus');
    await page.keyboard.press('Enter');
    t.equal(await page.evaluate('document.activeElement.tagName'), 'H1');
    await page.getByRole('link', { name: 'Calls', exact: true }).click();
    await page.getByRole('heading', { name: 'Calls and refusals' }).waitFor();
    t.equal(await focused(page), 'Calls and refusals', 'a new page is said');
    t.equal(await page.title(), 'Calls and refusals · Balise');
  });

  await t.test('contact lost is said, what is shown is marked as old, and it comes back by itself', async (t) => {
    const page = await aPage(t, browser, {}, (text) =>
      /ERR_(CONNECTION_REFUSED|INCOMPLETE|EMPTY)|Failed to load/.test(text),
    );
    await comeIn(page);
    await desk.close();
    await house.stop();
    await page.getByText(/No contact with the gateway since/).waitFor();
    t.ok(await page.locator('.frame.is-stale').count(), 'the board is marked');
    await page.locator('.ring-stale').first().waitFor();
    await isAccessible(t, page, 'the page without contact');
    await picture(page, 'lost');
    await house.restart();
    // The session died with the console: the page says so, and asks for the log-in.
    await page.getByText('Your session has ended.').waitFor();
    await typeIn(page, FIRST, PASSWORD);
    await page.getByRole('heading', { name: 'Board' }).waitFor();
    t.equal(await page.getByText(/No contact/).count(), 0);
  });
});
