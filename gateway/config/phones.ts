import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { addressBits } from './networks.js';
import { programData } from './paths.js';
import { nearest } from './schema-faults.js';
import { type Checked, called, checkOnce } from './site-check.js';

/** How many handsets each model of phone or adapter carries, by its name; a template that cannot be read is left out. */
export function readPhoneModels(folder = programData('phones')): ReadonlyMap<string, number> {
  const models = new Map<string, number>();
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
    const { models: own = {} } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { models?: object };
    for (const [model, ports] of Object.entries(own)) if (typeof ports === 'number') models.set(model, ports);
  }
  return models;
}

/** The phones of handsets.json: models that there are not, two models on one address, two handsets on one port; and where they fetch. */
export function checkPhones(checked: Checked): void {
  const { handsets, site } = checked.content;
  const all = handsets ?? [];
  const models = readPhoneModels();
  const modelOf = new Map<string, string>();
  for (const [index, handset] of all.entries()) {
    const { model, mac, port } = handset?.phone ?? {};
    if (model === undefined) continue;
    const ports = models.get(model);
    if (ports === undefined) {
      const meant = nearest(model, [...models.keys()]);
      const hint = meant === undefined ? 'balise handset models lists them' : `did you mean "${meant}"?`;
      checked.report('handsets', `/${index}/phone/model`, model, 'a model of config/phones/', hint);
    } else if (port !== undefined && port > ports) {
      const expected = ports === 1 ? 'port 1: it carries one handset' : `a port from 1 to ${ports}`;
      checked.report(
        'handsets',
        `/${index}/phone/port`,
        port,
        `of a ${model}, ${expected}`,
        'correct the port or the model',
      );
    }
    if (mac === undefined) continue;
    const before = modelOf.get(mac) ?? model;
    modelOf.set(mac, before);
    if (before === model) continue;
    const expected = `${before}, as another handset on ${mac} says`;
    checked.report(
      'handsets',
      `/${index}/phone/model`,
      model,
      expected,
      'a device has one model: correct one of the two',
    );
  }
  checkOnce(checked, 'handsets', all, {
    key: (handset) => {
      const { mac, port } = handset?.phone ?? {};
      return mac === undefined || port === undefined ? undefined : `${mac} ${port}`;
    },
    pointer: (index) => `/${index}/phone/port`,
    value: (handset) => handset?.phone?.port,
    expected: (first, index) => `a port that no other handset has; ${called('handset', first, index)} has it`,
    hint: 'give one of the two another port',
  });
  const { provisioning } = site ?? {};
  if (provisioning === undefined) return;
  const { tls, http, host } = provisioning;
  const address = site?.sip?.cell?.address;
  if (host === undefined && address !== undefined && addressBits(address)?.bits === 0n) {
    const expected = 'what devices call this machine, because "sip.cell" is every address';
    checked.report(
      'site',
      '/provisioning/host',
      undefined,
      expected,
      "write this machine's address on the cells' network",
    );
  }
  if (http === true && tls !== undefined) {
    checked.report('site', '/provisioning/http', true, 'no "http" beside "tls"', 'take one of the two out');
  }
  if (http !== true && !checked.isWritten('site', '/provisioning/tls')) {
    const hint =
      'add {"cert": …, "key": …}; or "http": true, and whoever listens on the cells\' network reads every secret';
    checked.report('site', '/provisioning/tls', undefined, 'a certificate: devices fetch their secrets here', hint);
  }
  for (const name of ['cert', 'key'] as const) {
    const file = tls?.[name];
    if (file === undefined || isReadable(resolve(checked.folder, file))) continue;
    const path = resolve(checked.folder, file);
    checked.report('site', `/provisioning/tls/${name}`, file, 'a file that is there and may be read', path);
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    // Absent or forbidden, and whichever it is, the path in the hint shows it.
    return false;
  }
}
