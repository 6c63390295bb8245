/** The whole program, seen in Chromium by its first person: a call comes up, counts down, is cut; a refusal says why. */
import t from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { carrierPeer, handsetPeer } from '../peers/scenario.js';
import { handset, makeSite } from '../peers/site.js';
import { aBrowser, aPage, FIRST, PASSWORD, picture, shows } from './web-site.js';

const ALLOWED = '+442079460001';
const UNSANCTIONED = '+442079461234';

t.test(
  'from the one-time link to a call that is seen, cut and explained',
  needs('chromium', 'sip-tester'),
  async (t) => {
    const trunkPort = await freePort();
    const site = makeSite(t, trunkPort, { handsets: [handset('a-101'), handset('a-102')] });
    const [gateway, browser, cell, trunk] = await Promise.all([
      GatewayProcess.start(t, site),
      aBrowser(t),
      RtpProbe.open(t),
      RtpProbe.open(t),
    ]);
    const link = await gateway.logged(({ event }) => event === 'console.first-link');
    const page = await aPage(t, browser);
    await page.goto(String(link.url));
    await page.getByLabel('Name').fill(FIRST);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByLabel('New password again').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create the account' }).click();
    const tile = page.locator('[data-handset="a-101"]');
    await tile.getByText('Not registered').waitFor();

    const common = { port: gateway.port('cell'), rtpPort: cell.port };
    const far = await carrierPeer(t, 'carrier-answers', trunkPort, trunk.port);
    const near = await handsetPeer(t, { scenario: 'handset-waits', user: 'a101', dialled: ALLOWED, ...common });
    await tile.getByText('Talking').waitFor();
    const left = async () => (await tile.locator('.ring text').textContent()) ?? '';
    const first = await left();
    t.match(first, /^(29:5\d|30:00)$/, 'half an hour is granted');
    await shows(page, async () => (await left()) !== first);
    await picture(page, 'gateway-talking');

    await tile.click();
    await page.getByRole('link', { name: 'Open the call' }).click();
    await page.getByText('This call is up.').waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Cut off… a-101' }).click();
    await page.getByLabel('Reason').fill('the yard alarm');
    await page.getByLabel('Hold').selectOption('s10');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Cut off now' }).click();
    await page.getByText('Done. 1 call ended.').waitFor();
    await page.getByText('Every plane has confirmed it.').waitFor();
    t.match(await page.locator('.figures').textContent(), /Silent after[\d.]+ ms/, 'the measured silence is told');
    await picture(page, 'gateway-cut');
    t.match(await near.exited, { code: 0 }, 'the handset saw BYE');
    t.match(await far.exited, { code: 0 }, 'the carrier saw BYE');
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    await page.getByText('the yard alarm').first().waitFor();
    await picture(page, 'gateway-handset');

    const refused = { scenario: 'handset-refused', user: 'a102', dialled: UNSANCTIONED, status: 403, ...common };
    t.match(await (await handsetPeer(t, refused)).exited, { code: 0 });
    await page.getByRole('link', { name: 'Calls', exact: true }).click();
    const row = page.getByRole('row', { name: /Number not sanctioned/ });
    await row.getByRole('link').first().click();
    await page.getByRole('heading', { name: 'Refusal at handset a-102' }).waitFor();
    await page.locator('.judged-refuses').getByText('number.not-sanctioned').waitFor();
    t.notMatch(await page.content(), UNSANCTIONED.slice(4), 'the number that was called is nowhere');
    await picture(page, 'gateway-why');
    await page.getByRole('link', { name: 'Audit' }).click();
    await page.getByRole('cell', { name: FIRST }).first().waitFor();
    await picture(page, 'gateway-audit');
  },
);
