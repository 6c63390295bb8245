import { createHash } from 'node:crypto';
import type { PhoneTemplate } from '../../config/schema/types.generated.js';
import type { Clock } from '../clock/clock.js';
import type { Device } from './device.js';
import type { DeviceNotebook, DeviceNotes, SeenRegistration } from './device-notes.js';
import type { Enrolment, EnrolmentBook } from './enrolment-book.js';
import { Guesses } from './guesses.js';
import { mismatches, type Registration } from './read-back.js';
import { type Rendered, render, type SiteToTell } from './render.js';
import { ha1Of } from './secrets.js';
import { fileNameOf } from './templates.js';

/** A request for a configuration. */
export interface Asked {
  /** The token, from the URL or from HTTP Basic. */
  readonly token: string;
  readonly file: string;
  readonly address: string;
}

/** Something that a person should hear of. */
export interface DeskAlarm {
  readonly code: string;
  readonly detail: string;
  readonly handset?: string;
}

export interface DeskOptions {
  readonly clock: Clock;
  readonly templates: ReadonlyMap<string, PhoneTemplate>;
  readonly book: EnrolmentBook;
  readonly notes: DeviceNotebook;
  readonly site: () => SiteToTell;
  readonly alarm: (alarm: DeskAlarm) => void;
  /** For the audit chain: `fetched`, `enrolled`. */
  readonly tell: (what: string, data: Readonly<Record<string, unknown>>) => void;
}

interface Known {
  readonly device: Device;
  readonly template: PhoneTemplate;
  readonly enrolment: Enrolment | undefined;
  notes: DeviceNotes | undefined;
}

/**
 * Judges who gets which configuration, and whether the phones that register are those that were provisioned.
 *
 * A token opens its own device's file alone, until the end of its arming; from the first fetch on it opens it from that
 * address alone; and nothing any more when the device has fetched and every handset of it has registered. The secret so
 * leaves the gateway only within a time that a technician opened, and a token that is read out of a phone, or off the wire,
 * is worth nothing afterwards. A phone keeps what it has; one that was reset to its factory state has to be armed again.
 */
export class ProvisioningDesk {
  readonly #options: DeskOptions;
  readonly #guesses: Guesses;
  #byToken = new Map<string, Known>();
  #byHandset = new Map<string, Known>();

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#guesses = new Guesses(options.clock);
  }

  /** Takes the devices as they are now. What cannot be opened of a device is an alarm, and that device is served nothing. */
  load(devices: ReadonlyMap<string, Device>): void {
    const byToken = new Map<string, Known>();
    const byHandset = new Map<string, Known>();
    for (const device of devices.values()) {
      const template = this.#options.templates.get(device.model);
      if (template === undefined) continue;
      const known = { device, template, ...this.#readOf(device) };
      if (known.enrolment !== undefined) byToken.set(hashOf(known.enrolment.token), known);
      for (const { handset } of device.ports) byHandset.set(handset.id, known);
    }
    this.#byToken = byToken;
    this.#byHandset = byHandset;
  }

  /**
   * The configuration that was asked for; undefined for every other request, whatever is wrong with it: a token that there
   * is not, a device that there is not and a token that is spent cannot be told from one another.
   */
  ask({ token, file, address }: Asked): Rendered | undefined {
    // A table by the tokens' hashes: what its look-up takes says nothing of how much of a token was right.
    const known = this.#byToken.get(hashOf(token));
    if (this.#guesses.isBlocked(address)) return undefined;
    if (known === undefined) return this.#guessed(address);
    const { device, template, enrolment, notes } = known;
    if (file !== fileNameOf(template, device.mac, device.model)) {
      // Makers ask for other files beside it, e.g. firmware or a general one; another device's is none of them.
      return /[0-9a-f]{12}/i.test(file) && !file.toLowerCase().includes(device.mac)
        ? this.#guessed(address)
        : undefined;
    }
    if (enrolment === undefined || notes?.closedAt !== undefined || this.#nowMs() >= enrolment.armedUntilMs) {
      return undefined;
    }
    if (notes?.fetched !== undefined && notes.fetched.from !== address) {
      this.#alarm(known, 'foreign-address', `${address} asked for what ${notes.fetched.from} has fetched`);
      return undefined;
    }
    return this.#serve(known, enrolment, address);
  }

  /** A handset has registered: whether it is the device that was provisioned is looked at, noted and told. */
  registered(seen: Registration): void {
    const known = this.#byHandset.get(seen.handset);
    if (known === undefined) return;
    const { device, template, enrolment } = known;
    const fetchedFrom = known.notes?.fetched?.from;
    const found = mismatches(seen, {
      template,
      mac: device.mac,
      model: device.model,
      ...(fetchedFrom === undefined ? {} : { fetchedFrom }),
    });
    const before = known.notes?.registrations[seen.handset];
    if (isSame(before, seen, found)) return;
    const notes = known.notes ?? { generation: enrolment?.generation ?? 'none', registrations: {} };
    const { address, userAgent } = seen;
    const registration = { at: this.#now(), address, userAgent: userAgent.slice(0, 200), mismatches: found };
    this.#note(known, { ...notes, registrations: { ...notes.registrations, [seen.handset]: registration } });
    if (found.length > 0) this.#alarm(known, 'mismatch', `${seen.handset}: ${found.join('; ')}`, seen.handset);
    this.#closeIfDone(known);
  }

  #serve(known: Known, enrolment: Enrolment, address: string): Rendered | undefined {
    const { device, template, notes } = known;
    const stale = device.ports.find(({ handset }) => !this.#fits(handset, enrolment.secrets[handset.id]));
    if (stale !== undefined) {
      const detail = `the secret of ${stale.handset.id} is not that of handsets.json: renew it with balise handset provision --rotate`;
      this.#alarm(known, 'stale', detail, stale.handset.id);
      return undefined;
    }
    const rendered = render(template, device, enrolment, this.#options.site());
    if (notes?.fetched === undefined) {
      const fetched = { at: this.#now(), from: address };
      this.#note(known, { generation: enrolment.generation, registrations: {}, ...notes, fetched });
      this.#options.tell('fetched', { ...namesOf(device), address });
    }
    return rendered;
  }

  /** Whether a secret is the one that the account is made of. */
  #fits({ user, ha1 }: Device['ports'][number]['handset'], secret: string | undefined): boolean {
    if (secret === undefined) return false;
    const made = ha1Of(user, this.#options.site().realm, secret);
    return (['MD5', 'SHA-256'] as const).every((by) => ha1[by] === undefined || ha1[by].toLowerCase() === made[by]);
  }

  /** The token dies when everything has come to pass that it was for. */
  #closeIfDone(known: Known): void {
    const { device, notes } = known;
    const from = notes?.fetched?.from;
    if (notes === undefined || from === undefined || notes.closedAt !== undefined) return;
    const isBack = ({ handset }: Device['ports'][number]) => notes.registrations[handset.id]?.address === from;
    if (!device.ports.every(isBack)) return;
    this.#note(known, { ...notes, closedAt: this.#now() });
    this.#options.tell('enrolled', { ...namesOf(device), address: from });
  }

  #readOf({ mac }: Device): { enrolment: Enrolment | undefined; notes: DeviceNotes | undefined } {
    const { book, notes: notebook, alarm } = this.#options;
    try {
      const enrolment = book.read(mac);
      const notes = notebook.read(mac);
      // What was noted of an earlier arming says nothing of this one.
      return { enrolment, notes: notes?.generation === (enrolment?.generation ?? 'none') ? notes : undefined };
    } catch (fault) {
      alarm({ code: 'provisioning.unreadable', detail: fault instanceof Error ? fault.message : String(fault) });
      return { enrolment: undefined, notes: undefined };
    }
  }

  #note(known: Known, notes: DeviceNotes): void {
    known.notes = notes;
    try {
      this.#options.notes.write(known.device.mac, notes);
    } catch (fault) {
      this.#alarm(known, 'not-noted', `the disk does not take what is known of it: ${(fault as Error).message}`);
    }
  }

  #guessed(address: string): undefined {
    if (!this.#guesses.wrong(address)) return;
    const detail = `${address} asked ten times for configurations that there are not: it gets nothing for fifteen minutes`;
    this.#options.alarm({ code: 'provisioning.guessing', detail });
  }

  #alarm({ device }: Known, code: string, detail: string, handset?: string): void {
    const about = handset ?? device.ports[0]?.handset.id;
    const alarm = { code: `provisioning.${code}`, detail: `${device.model} ${device.mac}: ${detail}` };
    this.#options.alarm({ ...alarm, ...(about === undefined ? {} : { handset: about }) });
  }

  #now(): string {
    return this.#options.clock.wall().toString({ smallestUnit: 'second' });
  }

  #nowMs(): number {
    return this.#options.clock.wall().epochMilliseconds;
  }
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

const namesOf = ({ mac, model, ports }: Device) => ({ mac, model, handsets: ports.map(({ handset }) => handset.id) });

function isSame(before: SeenRegistration | undefined, seen: Registration, found: readonly string[]): boolean {
  return (
    before !== undefined &&
    before.address === seen.address &&
    before.userAgent === seen.userAgent.slice(0, 200) &&
    before.mismatches.join() === found.join()
  );
}
