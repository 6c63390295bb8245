import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join, resolve } from 'node:path';
import type { EventDraft } from './calls/ports.js';
import type { Clock } from './clock/clock.js';
import type { SiteFiles } from './config/site.js';
import { ProvisioningDesk } from './provisioning/desk.js';
import { devicesOf } from './provisioning/device.js';
import { DeviceNotebook } from './provisioning/device-notes.js';
import { EnrolmentBook } from './provisioning/enrolment-book.js';
import type { Registration } from './provisioning/read-back.js';
import type { SiteToTell } from './provisioning/render.js';
import type { ProvisioningServer } from './provisioning/server.js';
import { readTemplates } from './provisioning/templates.js';

/** Where the system keeps its time zones (tzfile(5)). */
const ZONES = '/usr/share/zoneinfo';

/** What provisioning is joined to. */
export interface SiteProvisioningParts {
  readonly files: SiteFiles;
  readonly clock: Clock;
  /** The port of the SIP server on the cell side, as it listens. */
  readonly sipPort: () => number;
  readonly alarm: (code: string, detail: string, handset?: string) => void;
  readonly append: (event: EventDraft) => void;
}

/** The devices of a running site: served where site.json says so, and read back in any case. */
export class SiteProvisioning {
  readonly #parts: SiteProvisioningParts;
  readonly #desk: ProvisioningDesk;
  #server: ProvisioningServer | undefined;
  /** The port in site.json may be the system's choice. */
  #port = 0;

  constructor(parts: SiteProvisioningParts) {
    this.#parts = parts;
    const { files, clock, alarm, append } = parts;
    this.#desk = new ProvisioningDesk({
      clock,
      templates: readTemplates(),
      book: new EnrolmentBook(files.dataFolder),
      notes: new DeviceNotebook(files.dataFolder),
      site: () => siteToTell(files, clock, parts.sipPort(), this.#port),
      alarm: ({ code, detail, handset }) => alarm(code, detail, handset),
      tell: (what, data) => append({ kind: 'event', type: `balise.phone.${what}`, data }),
    });
    this.#desk.load(devicesOf(files.handsets));
  }

  /** Listens, where the site has it so. Rejects when it cannot. */
  async start(): Promise<void> {
    const { site, folder } = this.#parts.files;
    const { provisioning } = site;
    if (provisioning === undefined) return;
    const { tls, address = site.sip.cell.address } = provisioning;
    const pem = (file: string): string => readFileSync(resolve(folder, file), 'utf8');
    this.#port = provisioning.port;
    // A site that serves no phones loads no server for them.
    const { startProvisioningServer } = await import('./provisioning/server.js');
    this.#server = await startProvisioningServer({
      address,
      port: provisioning.port,
      ...(tls === undefined ? {} : { tls: { cert: pem(tls.cert), key: pem(tls.key) } }),
      ask: (asked) => this.#desk.ask(asked),
    });
    this.#port = this.#server.port;
  }

  /** The port that devices fetch from; undefined where nothing is served. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  registered(registration: Registration): void {
    this.#desk.registered(registration);
  }

  /** Takes handsets and enrolments as they are now. */
  handsetsChanged(): void {
    this.#desk.load(devicesOf(this.#parts.files.handsets));
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}

/** What devices are told of a site. `sipPort` and `port` are those listened on, where site.json leaves them to the system. */
export function siteToTell(files: SiteFiles, clock: Pick<Clock, 'wall'>, sipPort: number, port: number): SiteToTell {
  const { sip, media, provisioning, zone } = files.site;
  const host = provisioning?.host ?? sip.cell.address;
  const secondsFromUtc = clock.wall().toZonedDateTimeISO(zone).offsetNanoseconds / 1e9;
  return {
    server: host,
    sipPort,
    realm: sip.realm,
    ntp: provisioning?.ntp ?? sip.cell.address,
    codecs: media.codecs,
    posixZone: posixZone(zone) ?? fixedZone(secondsFromUtc),
    secondsFromUtc,
    place: `${isIPv6(host) ? `[${host}]` : host}:${port}`,
    isHttps: provisioning?.http !== true,
  };
}

/** A zone as POSIX writes it, with its summer time: the last line of its file (RFC 9636 §3.3); undefined where the system has none. */
function posixZone(zone: string): string | undefined {
  try {
    const footer = /\n([^\n]+)\n$/.exec(readFileSync(join(ZONES, zone), 'latin1'))?.[1];
    return footer === undefined || !/^[\x21-\x7e]+$/.test(footer) ? undefined : footer;
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fault;
  }
}

/** The same without a summer time. POSIX counts west of Greenwich as positive. */
function fixedZone(secondsFromUtc: number): string {
  const hours = -secondsFromUtc / 3600;
  return `UTC${Number.isInteger(hours) ? hours : hours.toFixed(2)}`;
}
