/** What every test of the pages does in the browser: comes in, goes somewhere, sees whether it fits. */
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { FIRST, shows, type WebHouse } from './web-site.js';

/** The page behind it has been looked at. */
export const DIALOG = { within: 'dialog' };

export async function typeIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** Opens the board of a house with the log-in of its first person. */
export async function comeIn(page: Page, house: WebHouse): Promise<void> {
  const value = await house.logIn(FIRST);
  await page.context().addCookies([{ name: 'balise-session', value, url: house.console.url }]);
  await page.goto(house.console.url);
  await page.getByRole('heading', { name: /^(Board|Bord|Tableau)$/ }).waitFor();
}

/** The words of what has the focus. */
export const focused = (page: Page): Promise<unknown> => page.evaluate('document.activeElement.textContent.trim()');

export async function fits(t: Test, page: Page, what: string): Promise<void> {
  const wide = await page.evaluate(
    "[document.documentElement, ...document.querySelectorAll('.table-scroll')].filter((e) => e.scrollWidth > e.clientWidth).map((e) => [e.className, e.scrollWidth, e.clientWidth])",
  );
  t.same(wide, [], `nothing of ${what} is cut off`);
}

const SETTLED = "document.querySelector('.asking') === null && document.querySelector('h1') !== null";

export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await shows(page, async () => (await page.evaluate(SETTLED)) === true);
}
