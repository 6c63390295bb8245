import type { Handset, PhoneTemplate } from '../../config/schema/types.generated.js';
import type { Device } from '../../gateway/provisioning/device.js';
import type { Enrolment } from '../../gateway/provisioning/enrolment-book.js';
import type { SiteToTell } from '../../gateway/provisioning/render.js';
import { ha1Of, newSecret } from '../../gateway/provisioning/secrets.js';
import { readTemplates } from '../../gateway/provisioning/templates.js';

export const REALM = 'balise';

export const SITE: SiteToTell = {
  server: '10.20.0.1',
  sipPort: 5062,
  realm: REALM,
  ntp: '10.20.0.9',
  codecs: ['pcma', 'g722'],
  posixZone: 'CET-1CEST,M3.5.0,M10.5.0/3',
  secondsFromUtc: 7200,
  place: '10.20.0.1:8443',
  isHttps: true,
};

const templates = readTemplates();

export function templateOf(model: string): PhoneTemplate {
  const template = templates.get(model);
  if (template === undefined) throw new Error(`no template has ${model}`);
  return template;
}

export function sampleHandset(id: string, mac: string, model: string, port: number, secret: string): Handset {
  const user = id.replace('-', '');
  const phone = { model, mac, port };
  return { id, wing: 'a', profile: 'test', user, enabled: true, phone, ha1: { MD5: ha1Of(user, REALM, secret).MD5 } };
}

/** A device with a handset on each of these ports, and what it is served. */
export function sample(
  model: string,
  ports: readonly number[],
  mac = 'c074ad000201',
  wing = 'a',
): { device: Device; enrolment: Enrolment } {
  const secrets = new Map(ports.map((port) => [`${wing}-10${port}`, newSecret()]));
  const device: Device = {
    mac,
    model,
    ports: ports.map((port) => ({
      port,
      handset: sampleHandset(`${wing}-10${port}`, mac, model, port, secrets.get(`${wing}-10${port}`) ?? ''),
    })),
  };
  const enrolment: Enrolment = {
    mac,
    generation: 'g1',
    armedUntilMs: 1_800_000_000_000,
    token: `token-of-${mac}`,
    adminPassword: 'Admin2Secret',
    userPassword: 'User3Secret',
    adminDigits: '48151623',
    secrets: Object.fromEntries(secrets),
  };
  return { device, enrolment };
}
