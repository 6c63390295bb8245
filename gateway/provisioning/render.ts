import type { PhoneTemplate } from '../../config/schema/types.generated.js';
import type { Device } from './device.js';
import type { Enrolment } from './enrolment-book.js';
import { type Setting, written } from './formats.js';
import { fileNameOf } from './templates.js';

/** What a site's devices are told of the site. */
export interface SiteToTell {
  /** The gateway's address and port for SIP, on the network of the cells. */
  readonly server: string;
  readonly sipPort: number;
  readonly realm: string;
  readonly ntp: string;
  readonly codecs: readonly ('pcma' | 'pcmu' | 'g722' | 'opus')[];
  /** The site's time zone as POSIX writes it (`CET-1CEST,M3.5.0,M10.5.0/3`), and its offset from UTC now, seconds. */
  readonly posixZone: string;
  readonly secondsFromUtc: number;
  /** Where configuration is fetched: `host:port`, and whether by HTTPS. */
  readonly place: string;
  readonly isHttps: boolean;
}

/** A device's configuration as it is served. */
export interface Rendered {
  /** The name it asks by; empty for a sheet. */
  readonly file: string;
  readonly type: string;
  readonly body: string;
}

type Words = Readonly<Record<string, string>>;

/** Where a device fetches its configuration: the URL of the folder, with its token in it. */
export function configUrl(site: Pick<SiteToTell, 'place' | 'isHttps'>, token: string): string {
  return `${site.isHttps ? 'https' : 'http'}://${site.place}/p/${token}/`;
}

/** What is to be set at a device by hand, and where, in words. Throws as `render`. */
export function enrolPlace(template: PhoneTemplate, mac: string, { isHttps }: Pick<SiteToTell, 'isHttps'>): string {
  const scheme = isHttps ? 'https' : 'http';
  return filled(template.enrol.where, { mac, scheme, protocol: scheme.toUpperCase() });
}

/**
 * Writes a device's whole configuration by its family's template. Pure. Throws when the template names a placeholder that
 * there is not, or when a handset has no secret: faults of the program.
 */
export function render(template: PhoneTemplate, device: Device, enrolment: Enrolment, site: SiteToTell): Rendered {
  const { mac, model } = device;
  const file = fileNameOf(template, mac, model) ?? '';
  const words: Words = {
    mac,
    MAC: mac.toUpperCase(),
    model,
    file,
    server: site.server,
    sipPort: String(site.sipPort),
    realm: site.realm,
    ntp: site.ntp,
    posixZone: site.posixZone,
    secondsFromUtc: String(site.secondsFromUtc),
    hoursFromUtc: hoursText(site.secondsFromUtc),
    configUrl: configUrl(site, enrolment.token),
    configPath: `${site.place}/p/${enrolment.token}`,
    gsTransport: site.isHttps ? '2' : '1',
    fanvilTransport: site.isHttps ? '5' : '4',
    adminPassword: enrolment.adminPassword,
    adminDigits: enrolment.adminDigits,
    userPassword: enrolment.userPassword,
  };
  const settings = [
    ...template.settings.map((one) => ({ ...one, value: filled(one.value, words) })),
    ...codecSettings(template, site.codecs, undefined),
    ...portNumbers(template, model).flatMap((port) => portSettings(template, device, enrolment, site, words, port)),
  ];
  return { file, ...written(template.format, settings, { mac, armedUntilMs: enrolment.armedUntilMs }) };
}

function portNumbers(template: PhoneTemplate, model: string): number[] {
  return Array.from({ length: template.models[model] ?? 0 }, (_, index) => index + 1);
}

function portSettings(
  template: PhoneTemplate,
  device: Device,
  enrolment: Enrolment,
  site: SiteToTell,
  words: Words,
  port: number,
): Setting[] {
  const handset = device.ports.find((one) => one.port === port)?.handset;
  const secret = handset === undefined ? '' : enrolment.secrets[handset.id];
  if (secret === undefined) throw new Error(`${device.mac} has no secret for ${handset?.id}`);
  const own = { ...words, port: String(port), user: handset?.user ?? '', name: handset?.id ?? '', secret };
  const settings = template.ports.flatMap((one): Setting[] => {
    const name = portName(one, port);
    const value = handset === undefined ? one.unused : one.value;
    if (name === undefined || value === undefined) return [];
    return [
      {
        name: filled(name, own),
        value: filled(value, own),
        port,
        ...(one.module === undefined ? {} : { module: one.module }),
      },
    ];
  });
  return handset === undefined ? settings : [...settings, ...codecSettings(template, site.codecs, port)];
}

/** The name of a setting on one port; undefined when the port has none. */
function portName(
  { name, names, step }: { readonly name?: string; readonly names?: readonly string[]; readonly step?: number },
  port: number,
): string | undefined {
  if (names !== undefined) return names[port - 1];
  if (name === undefined || step === undefined) return name;
  return name.replace(/[0-9]+$/, (first) => String(Number(first) + step * (port - 1)));
}

/** The site's codecs as the family is told them: of the device as a whole (no `port`), or of one port. */
function codecSettings(template: PhoneTemplate, codecs: SiteToTell['codecs'], port: number | undefined): Setting[] {
  const { values, slots, portSlots, switches, list } = template.codecs;
  const chosen = codecs.map((codec) => values[codec]);
  const choice = (index: number): string => chosen[index % chosen.length] ?? '';
  if (port === undefined) return (slots ?? []).map((name, index) => ({ name, value: choice(index) }));
  const own = (name: string, codec = ''): string => filled(name, { port: String(port), codec });
  if (switches !== undefined) {
    const all = [...Object.values(values), ...switches.others];
    return all.flatMap((codec) => {
      const place = chosen.indexOf(codec) + 1;
      return [
        { name: own(switches.enable, codec), value: place > 0 ? '1' : '0', port },
        ...(place > 0 ? [{ name: own(switches.priority, codec), value: String(place), port }] : []),
      ];
    });
  }
  if (list !== undefined) {
    const value = [...chosen, ...(list.also === undefined ? [] : [list.also])].join(',');
    return [{ name: own(list.name), value, port, ...(list.module === undefined ? {} : { module: list.module }) }];
  }
  return (portSlots?.[port - 1] ?? []).map((name, index) => ({ name, value: choice(index), port }));
}

/** A text with its placeholders filled in: a word in braces, and nothing else that braces may hold. */
function filled(text: string, words: Words): string {
  return text.replace(/\{([A-Za-z]+)\}/g, (_, word: string) => {
    const value = words[word];
    if (value === undefined) throw new Error(`a phone template names {${word}}, which there is not`);
    return value;
  });
}

function hoursText(seconds: number): string {
  const sign = seconds < 0 ? '-' : '+';
  const minutes = Math.abs(Math.trunc(seconds / 60));
  const rest = minutes % 60;
  return `${sign}${Math.trunc(minutes / 60)}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`;
}
