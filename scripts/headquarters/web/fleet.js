/** The fleet page: asks headquarters once a second, shows what it says, counts calls down in between, and sends cutoffs. */
import { hourBars, refusalBars } from './plots.js';
import { policyButton, policyDialog } from './policy.js';
import { showWork } from './work.js';

const $ = (id) => document.getElementById(id);
const BUSY = ['calling', 'ringing', 'talking'];
const ORDERLY = ['operator', 'admin'];
let account;
/** Headquarters' clock less ours, milliseconds: calls end by its clock. */
let aheadMs = 0;
let cutting;

async function ask(path, options = {}) {
  const headers = {
    'x-balise': 'fleet',
    ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const answer = await fetch(`api/${path}`, { ...options, headers });
  if (answer.status === 401 && account !== undefined) showLogin();
  const content = answer.status === 204 ? undefined : await answer.json();
  if (!answer.ok) throw new Error(content?.error ?? content?.message ?? answer.statusText);
  return content;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function showLogin() {
  account = undefined;
  $('app').hidden = true;
  $('login').hidden = false;
  $('login').elements.name.focus();
}

function showApp(who) {
  account = who;
  $('login').hidden = true;
  $('app').hidden = false;
  $('who').textContent = `${who.name}, ${who.role}`;
  refresh();
  plots();
}

const counted = (count, what) => `${count} ${what}${count === 1 ? '' : 's'}`;

function timeLeft(until) {
  const seconds = Math.max(0, Math.ceil((Date.parse(until) - Date.now() - aheadMs) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function tile(gateway, handset) {
  const box = element('div', `tile ${handset.state}`);
  box.dataset.handset = handset.handset;
  box.append(element('b', '', handset.handset));
  const left = element('span', 'left');
  if (handset.state === 'talking' && handset.until) {
    left.dataset.until = handset.until;
  }
  box.append(left, element('span', 'what', [handset.state, handset.rule ?? handset.cause].filter(Boolean).join(': ')));
  if (BUSY.includes(handset.state) && ORDERLY.includes(account.role)) {
    box.append(cutButton(gateway, { kind: 'handset', handset: handset.handset }, `handset ${handset.handset}`));
  }
  return box;
}

function cutButton(gateway, target, what) {
  const button = element('button', 'danger', target.kind === 'site' ? 'Cut site' : 'Cut');
  button.type = 'button';
  button.setAttribute('aria-label', `Cut ${what} of ${gateway}`);
  button.addEventListener('click', () => {
    cutting = { gateway, target };
    $('cut-what').textContent = `${what}, ${gateway}`;
    $('cut-result').textContent = '';
    $('cut-reason').value = '';
    $('cut-go').disabled = false;
    $('cut').showModal();
    $('cut-reason').focus();
  });
  return button;
}

function stateOf({ isOnline, isSilent, missing, status, lines }) {
  const said = [isSilent ? 'silent' : isOnline ? 'on line' : 'off line'];
  if (missing > 0) said.push(`${missing} events missing`);
  if (status?.clock.trusted === false) said.push('clock not trusted');
  if (status?.disk.hasRoom === false) said.push('disk full');
  if (status?.outbox.depth > 100) said.push(`${status.outbox.depth} events waiting`);
  for (const { board, state } of lines) if (state !== 'ok') said.push(`board ${board} ${state}`);
  return said.join(', ');
}

function siteOf({ site, gateways }) {
  const section = element('section', 'site');
  for (const view of gateways) {
    const title = element('h2', '', site);
    const { gateway, handsets } = view;
    title.append(
      element('span', `state ${view.isOnline ? '' : 'offline'}`, `${gateway.split('/')[1]}: ${stateOf(view)}`),
    );
    if (ORDERLY.includes(account.role))
      title.append(cutButton(gateway, { kind: 'site' }, 'the whole site'), policyButton(gateway));
    section.append(title);
    const wings = Map.groupBy(handsets, ({ wing }) => wing ?? '');
    for (const [wing, members] of [...wings].sort()) {
      section.append(element('h3', '', wing === '' ? 'Handsets' : `Wing ${wing}`));
      const tiles = element('div', 'tiles');
      tiles.append(...members.map((handset) => tile(gateway, handset)));
      section.append(tiles);
    }
  }
  return section;
}

function alarmOf(alarm) {
  const item = element('li');
  item.append(element('span', '', alarm.message));
  const when = new Date(alarm.at_ms).toISOString().slice(0, 19).replace('T', ' ');
  const over = alarm.cleared_ms === null ? '' : ', over';
  item.append(element('small', '', `${alarm.gateway}${alarm.handset ? ` ${alarm.handset}` : ''}, ${when} UTC${over}`));
  if (ORDERLY.includes(account.role)) {
    const button = element('button', '', 'Acknowledge');
    button.type = 'button';
    button.addEventListener('click', async () => {
      button.disabled = true;
      await ask('alarms/acknowledged', { method: 'POST', body: JSON.stringify({ id: alarm.id }) }).catch(
        () => undefined,
      );
      refresh();
    });
    item.append(button);
  }
  return item;
}

/** Replaces what is shown only where it differs, so that a button does not move away under a finger. */
function show(into, children) {
  const fresh = element(into.tagName);
  fresh.append(...children);
  if (fresh.innerHTML !== into.dataset.shown) {
    into.dataset.shown = fresh.innerHTML;
    into.replaceChildren(...fresh.childNodes);
  }
}

let timer;
async function refresh() {
  clearTimeout(timer);
  if (account === undefined) return;
  try {
    const [fleet, alarms] = await Promise.all([ask('fleet'), ask('alarms')]);
    aheadMs = fleet.atMs - Date.now();
    const gateways = fleet.sites.flatMap((site) => site.gateways);
    const talking = gateways.flatMap(({ handsets }) => handsets).filter(({ state }) => state === 'talking').length;
    $('sums').textContent =
      `${counted(fleet.sites.length, 'site')}, ${gateways.filter(({ isOnline }) => isOnline).length} of ${counted(gateways.length, 'gateway')} on line, ${counted(talking, 'call')}`;
    const sites = fleet.sites.map(siteOf);
    show($('board'), sites.length > 0 ? sites : [element('p', 'empty', 'No gateway has reported yet.')]);
    countDown();
    $('alarm-count').textContent = alarms.length > 0 ? alarms.length : '';
    show($('alarms'), alarms.length > 0 ? alarms.map(alarmOf) : [element('li', 'empty', 'None is open.')]);
    zonesFrom(gateways);
    $('stale').hidden = true;
  } catch {
    $('stale').hidden = account === undefined;
  }
  timer = setTimeout(refresh, 1000);
}

/** The left select begins with the first site's zone. */
function zonesFrom(gateways) {
  const known = [...new Set(gateways.map(({ status }) => status?.zone).filter(Boolean))];
  if ($('zone-a').options.length > 0) return;
  // Each call by the clock of its own callee.
  $('zone-b').append(new Option('where the callee is', 'callee'));
  const others = Intl.supportedValuesOf('timeZone');
  for (const [select, first] of [
    [$('zone-a'), known],
    [$('zone-b'), []],
  ]) {
    for (const zone of [...new Set([...first, 'UTC', ...others])]) select.append(new Option(zone, zone));
    select.addEventListener('change', plots);
  }
  plots();
}

let plotTimer;
async function plots() {
  clearTimeout(plotTimer);
  if (account === undefined) return;
  const zones = [...new Set([$('zone-a').value || 'UTC', $('zone-b').value || 'callee'])];
  try {
    const [work, refusals, hours] = await Promise.all([
      ask(`work?days=30&zone=${encodeURIComponent($('zone-a').value || 'UTC')}`),
      ask('refusals?days=7'),
      ask(`hours?days=7&zones=${encodeURIComponent(zones.join(','))}`),
    ]);
    refusalBars($('refusals'), refusals);
    hourBars($('hours'), zones, hours);
    showWork(work);
  } catch {
    // The board says that headquarters does not answer.
  }
  plotTimer = setTimeout(plots, 10_000);
}

function countDown() {
  for (const left of document.querySelectorAll('.left[data-until]')) left.textContent = timeLeft(left.dataset.until);
}
setInterval(countDown, 250);

$('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = new FormData($('login'));
  try {
    const who = await ask('session', { method: 'POST', body: JSON.stringify(Object.fromEntries(form)) });
    $('login').reset();
    $('login-fault').textContent = '';
    showApp(who);
  } catch (fault) {
    $('login-fault').textContent = fault.message;
  }
});

$('logout').addEventListener('click', async () => {
  await ask('session', { method: 'DELETE' }).catch(() => undefined);
  showLogin();
});

$('cut-go').addEventListener('click', async () => {
  if (!$('cut-reason').reportValidity()) return;
  $('cut-go').disabled = true;
  $('cut-result').textContent = 'sent …';
  const order = { ...cutting, reason: $('cut-reason').value, holdS: Number($('cut-hold').value) };
  try {
    const { ack, roundTripMs } = await ask('cutoffs', { method: 'POST', body: JSON.stringify(order) });
    $('cut-result').textContent = ackWords(ack, roundTripMs);
  } catch (fault) {
    $('cut-result').textContent = fault.message;
    $('cut-go').disabled = false;
  }
  refresh();
});

function ackWords(ack, roundTripMs) {
  if (ack.state !== 'done') return `${ack.state}: ${ack.detail ?? ack.why ?? 'no reason was given'}`;
  const { calls = 0, silentMs = 0, byesSentMs = 0, relaysOpenMs = 0, complete } = ack.result ?? {};
  const ms = (value) => `${Math.round(value)} ms`;
  const whole = complete === false ? '; not every plane has confirmed' : '';
  return `Done: ${calls} ${calls === 1 ? 'call' : 'calls'} cut, silent after ${ms(silentMs)}, BYE after ${ms(byesSentMs)}, relay open after ${ms(relaysOpenMs)}, answer here after ${ms(roundTripMs)}${whole}.`;
}

policyDialog(ask);
ask('session').then(showApp, showLogin);
