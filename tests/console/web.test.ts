/** The console's pages in a real Chromium, behind the real console: each of them, and who comes in. `BALISE_SCREENSHOTS=<folder>` keeps pictures. */
import t from 'tap';
import { needs } from '../peers/needs.js';
import { CONTRAST, isAccessible } from './accessible.js';
import { NOW_MS } from './web-sample.js';
import { aBrowser, aPage, FIRST, PASSWORD, picture, shows, webHouse } from './web-site.js';
import { comeIn, DIALOG, fits, focused, goTo, typeIn } from './web-visit.js';

const opts = needs('chromium');

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

/** Between them they have every colour. */
const IN_THE_DARK = ['board', 'handset', 'refusal'];

t.test('in the browser', opts, async (t) => {
  const browser = await aBrowser(t);
  const house = await webHouse(t, [FIRST]);

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
      await comeIn(page, house);
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

  await t.test('a person is added with a role, and sees only what that role may', async (t) => {
    const page = await aPage(t, browser);
    await comeIn(page, house);
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
    await comeIn(page, house);
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
    await comeIn(page, house);
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
