import axe from 'axe-core';
import type { Page } from 'playwright-core';
import type { Test } from 'tap';

const ACCESSIBLE = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] };
/** The pages' style sheets are not fetched anew, and what is well is not written out. */
const QUICK = { preload: false, resultTypes: ['violations'] };
/** Nothing else of a page depends on its theme. */
export const CONTRAST = { runOnly: ['color-contrast'] };

/** Serious and critical violations of WCAG 2.1 A and AA, by axe-core; of the whole page, or of what `within` selects. */
export async function isAccessible(
  t: Test,
  page: Page,
  what: string,
  { only = ACCESSIBLE, within = 'html' }: { readonly only?: typeof ACCESSIBLE; readonly within?: string } = {},
): Promise<void> {
  // The policy forbids the page's own inline scripts; what the debugger runs is not the page's.
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(axe.source);
  const { violations } = (await page.evaluate(
    `axe.run(${JSON.stringify(within)}, ${JSON.stringify({ ...only, ...QUICK })})`,
  )) as axe.AxeResults;
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const said = grave.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`,
  );
  t.same(said, [], `axe-core has nothing serious to say of ${what}`);
}
