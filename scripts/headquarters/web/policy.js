/** Sends a signed bundle to a gateway: what it changes is shown first, then what the gateway said. */

const $ = (id) => document.getElementById(id);
let ask;
let gateway;
let shown;

/** @param how asks headquarters, as the page does. */
export function policyDialog(how) {
  ask = how;
  $('policy-file').addEventListener('change', preview);
  $('policy-go').addEventListener('click', send);
}

/** A button that opens the dialog for a gateway. */
export function policyButton(of) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Policy';
  button.setAttribute('aria-label', `Send policy to ${of}`);
  button.addEventListener('click', () => {
    gateway = of;
    forget();
    $('policy-what').textContent = of;
    $('policy-file').value = '';
    $('policy').showModal();
  });
  return button;
}

function forget() {
  shown = undefined;
  $('policy-go').disabled = true;
  $('policy-result').textContent = '';
  $('policy-preview').replaceChildren();
}

async function preview() {
  forget();
  const [file] = $('policy-file').files;
  if (file === undefined) return;
  const bundle = await file.text();
  try {
    const said = await ask('policy/preview', { method: 'POST', body: JSON.stringify({ gateway, bundle }) });
    $('policy-preview').replaceChildren(...words(said));
    shown = { gateway, bundle, digest: said.digest };
    $('policy-go').disabled = false;
    $('policy-go').focus();
  } catch (fault) {
    $('policy-result').textContent = fault.message;
  }
}

function words({ version, validFrom, signedBy, comparedWith, changes }) {
  const about = document.createElement('p');
  const against =
    comparedWith === undefined ? 'all of it is new to headquarters' : `compared with version ${comparedWith}`;
  about.textContent = `Version ${version}, valid from ${validFrom}, signed by ${signedBy.join(' and ')}; ${against}.`;
  const table = document.createElement('table');
  table.createCaption().textContent = changes.length === 1 ? '1 change' : `${changes.length} changes`;
  const head = table.createTHead().insertRow();
  for (const name of ['Where', 'Before', 'After']) {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.textContent = name;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const { at, before, after } of changes) {
    const row = body.insertRow();
    for (const value of [at, before ?? '–', after ?? '–']) row.insertCell().textContent = value;
  }
  return [about, table];
}

async function send() {
  if (shown === undefined) return;
  $('policy-go').disabled = true;
  $('policy-result').textContent = 'sent …';
  try {
    const { ack, roundTripMs } = await ask('policy', { method: 'POST', body: JSON.stringify(shown) });
    $('policy-result').textContent = answer(ack, roundTripMs);
  } catch (fault) {
    $('policy-result').textContent = fault.message;
    $('policy-go').disabled = false;
  }
}

function answer({ state, why, detail, result }, roundTripMs) {
  if (state !== 'done')
    return `${state === 'accepted' ? 'Waits' : 'Refused'}: ${detail ?? why ?? 'no reason was given'}.`;
  const { version, widens = 0, wasInForce } = result ?? {};
  if (wasInForce) return `Version ${version} was in force already.`;
  const wider = widens > 0 ? ` It widens in ${widens} ${widens === 1 ? 'thing' : 'things'}.` : ' It only narrows.';
  return `Version ${version} is in force, answer here after ${Math.round(roundTripMs)} ms.${wider}`;
}
