import type { Handset, PhoneTemplate } from '../../config/schema/types.generated.js';
import { systemClock } from '../clock/system-clock.js';
import type { SiteFiles } from '../config/site.js';
import type { ArmedView } from '../console/api/handset-edits.js';
import { type Device, devicesOf } from '../provisioning/device.js';
import { DeviceNotebook, type DeviceNotes } from '../provisioning/device-notes.js';
import { type Enrolment, EnrolmentBook } from '../provisioning/enrolment-book.js';
import { configUrl, enrolPlace, render } from '../provisioning/render.js';
import { fileNameOf, readTemplates } from '../provisioning/templates.js';
import { siteToTell } from '../site-provisioning.js';

const clock = systemClock(() => ({ trusted: true }));

/** How far a handset's phone is, in one word and in a sentence. */
export interface PhoneState {
  readonly state: 'none' | 'by-hand' | 'armed' | 'fetched' | 'enrolled' | 'expired' | 'mismatch' | 'unreadable';
  readonly detail: string;
}

/** Everything that is known of a site's phones: what they are, what they were given, what was seen of them. */
export class SitePhones {
  readonly #templates = readTemplates();
  readonly #devices: ReadonlyMap<string, Device>;
  readonly #book: EnrolmentBook;
  readonly #notes: DeviceNotebook;

  /** `ports`: as a running gateway listens on them; absent: those of site.json. */
  constructor(
    private readonly site: SiteFiles,
    private readonly ports: { readonly sip?: number; readonly provisioning?: number | undefined } = {},
  ) {
    this.#devices = devicesOf(site.handsets);
    this.#book = new EnrolmentBook(site.dataFolder);
    this.#notes = new DeviceNotebook(site.dataFolder);
  }

  template(model: string): PhoneTemplate {
    const template = this.#templates.get(model);
    if (template === undefined)
      throw new Error(`${model} is no model of config/phones/, and the site's check let it through`);
    return template;
  }

  stateOf({ id, phone }: Handset): PhoneState {
    if (phone === undefined)
      return { state: 'none', detail: 'no phone is provisioned: its account is configured by hand' };
    let enrolment: Enrolment | undefined;
    try {
      enrolment = this.#book.read(phone.mac);
    } catch (fault) {
      return { state: 'unreadable', detail: fault instanceof Error ? fault.message : String(fault) };
    }
    const noted = this.#notes.read(phone.mac);
    const notes = noted?.generation === (enrolment?.generation ?? 'none') ? noted : undefined;
    const seen = notes?.registrations[id];
    if (seen !== undefined && seen.mismatches.length > 0)
      return { state: 'mismatch', detail: seen.mismatches.join('; ') };
    const registered =
      seen === undefined ? '' : `; registered from ${seen.address} as ${JSON.stringify(seen.userAgent)}`;
    if (enrolment === undefined)
      return { state: 'by-hand', detail: `no enrolment: balise handset provision makes one${registered}` };
    if (this.template(phone.model).file === undefined)
      return { state: 'by-hand', detail: `keyed in by hand${registered}` };
    return stateOfEnrolled(enrolment, notes, registered);
  }

  /** What a technician does at the device now; holds the token, or the secret of one that is configured by hand. */
  armed(mac: string): ArmedView {
    const device = this.#devices.get(mac);
    const enrolment = this.#book.read(mac);
    if (device === undefined || enrolment === undefined)
      throw new Error(`${mac} has just been enrolled and is not there`);
    const template = this.template(device.model);
    const { sip, provisioning } = this.site.site;
    const { sip: sipPort = sip.cell.port, provisioning: port = provisioning?.port ?? 0 } = this.ports;
    const told = siteToTell(this.site, clock, sipPort, port);
    const common = { mac, model: device.model, maker: template.maker };
    if (template.file === undefined) return { ...common, sheet: render(template, device, enrolment, told).body };
    const armedUntil = new Date(enrolment.armedUntilMs).toISOString();
    return {
      ...common,
      armedUntil,
      url: configUrl(told, enrolment.token),
      file: fileNameOf(template, mac, device.model) ?? '',
      where: enrolPlace(template, mac, told),
      token: enrolment.token,
      ...(template.enrol.by === 'path or basic' ? { user: mac } : {}),
    };
  }

  /** The same in words. */
  instructions(mac: string): string {
    const phone = this.armed(mac);
    const name = `${phone.maker} ${phone.model} ${mac}`;
    if ('sheet' in phone) return `${name}: key this in; it is not shown again\n\n${phone.sheet}`;
    const { provisioning } = this.site.site;
    const hitch =
      provisioning === undefined
        ? ['  note   site.json has no "provisioning": nothing is served until it has, and the gateway was restarted']
        : provisioning.port === 0
          ? ["  note   the port is the system's choice: the gateway's log names it"]
          : [];
    return [
      `${name}: armed until ${phone.armedUntil.slice(0, 16).replace('T', ' ')} UTC`,
      `  URL    ${phone.url}`,
      `  file   ${phone.file}`,
      `  where  ${phone.where}`,
      `  then   restart the device: it fetches, restarts and registers; balise handset show says what came of it`,
      ...(phone.user === undefined
        ? []
        : [`  or     user ${phone.user}, password ${phone.token}, without the /p/… in the URL`]),
      ...hitch,
      '',
    ].join('\n');
  }
}

function stateOfEnrolled(enrolment: Enrolment, notes: DeviceNotes | undefined, registered: string): PhoneState {
  if (notes?.closedAt !== undefined) return { state: 'enrolled', detail: `enrolled ${notes.closedAt}${registered}` };
  const until = new Date(enrolment.armedUntilMs).toISOString().slice(0, 16);
  if (notes?.fetched !== undefined) {
    const { at, from } = notes.fetched;
    return {
      state: 'fetched',
      detail: `${from} fetched its configuration ${at}, and it has not registered as a whole yet${registered}`,
    };
  }
  if (clock.wall().epochMilliseconds >= enrolment.armedUntilMs) {
    return {
      state: 'expired',
      detail: `armed until ${until}Z, and nobody fetched: arm it again with balise handset provision${registered}`,
    };
  }
  return { state: 'armed', detail: `armed until ${until}Z, nobody has fetched yet${registered}` };
}
