import type { Handset } from '../../config/schema/types.generated.js';
import { systemClock } from '../clock/system-clock.js';
import type { SiteFiles } from '../config/site.js';
import { devicesOf } from '../provisioning/device.js';
import { DeviceNotebook } from '../provisioning/device-notes.js';
import { armed, type Enrolment, EnrolmentBook, type Renewal } from '../provisioning/enrolment-book.js';
import { ha1Of, newSecret } from '../provisioning/secrets.js';
import { readTemplates } from '../provisioning/templates.js';
import { EditFault } from './edit-fault.js';
import type { Edit, RawHandset } from './site-edit.js';

const HOUR_MS = 3_600_000;
/** Where site.json says nothing of it. */
const ARMED_H = 24;
const clock = systemClock(() => ({ trusted: true }));

export type RawPhone = NonNullable<Handset['phone']>;

/** What a handset is to be, as it was asked for. */
export interface WantedHandset {
  readonly id: string;
  readonly wing?: string;
  readonly profile?: string;
  readonly user?: string;
  readonly language?: Handset['language'];
  readonly enabled?: boolean;
  readonly line?: Handset['line'];
  readonly phone?: Handset['phone'];
}

export const unknownHandset = (id: string): EditFault =>
  new EditFault('handset.unknown', `there is no handset ${JSON.stringify(id)}; balise handset list has them all`);

/** The handset with this id, and its place. Throws an `EditFault` when there is none. */
function found(handsets: readonly RawHandset[], id: string): { handset: RawHandset; at: number } {
  const at = handsets.findIndex((one) => one.id === id);
  const handset = handsets[at];
  if (handset === undefined) throw unknownHandset(id);
  return { handset, at };
}

/** Its phone's port is written only where it is not the first. */
function tidy(handset: RawHandset): RawHandset {
  const { phone } = handset;
  if (phone === undefined || phone.port !== 1) return handset;
  const { port: _, ...rest } = phone;
  return { ...handset, phone: rest as Handset['phone'] };
}

/** The user of a new handset: its id without the signs that make it readable. */
const userOf = (id: string): string => id.replace(/[^a-z0-9]/g, '');

/**
 * An edit in the making: handsets that change, and devices that are armed with it. Secrets are drawn here and nowhere else,
 * so that the HA1 in the file and what the device is served are of one secret.
 */
export class HandsetEdit {
  readonly #handsets: RawHandset[];
  readonly #site: SiteFiles;
  readonly #book: EnrolmentBook;
  readonly #templates = readTemplates();
  readonly #secrets = new Map<string, string>();
  readonly #armed = new Map<string, Renewal>();
  readonly #notes: { handset: string; what: string }[] = [];

  constructor(handsets: readonly RawHandset[], site: SiteFiles) {
    this.#handsets = [...handsets];
    this.#site = site;
    this.#book = new EnrolmentBook(site.dataFolder);
  }

  has(id: string): boolean {
    return this.#handsets.some((one) => one.id === id);
  }

  /** The phone that a handset has now, if any. Throws an `EditFault` for no handset. */
  phoneOf(id: string): RawHandset['phone'] {
    return found(this.#handsets, id).handset.phone;
  }

  add(wanted: WantedHandset): void {
    if (this.has(wanted.id))
      throw new EditFault('handset.taken', `there is a handset ${JSON.stringify(wanted.id)} already`);
    const { id, user = userOf(id), ...rest } = wanted;
    this.#handsets.push(tidy({ id, ...rest, user, ha1: this.#freshHa1({ ...rest, id, user }) } as RawHandset));
    if (wanted.phone !== undefined) this.#arm(wanted.phone.mac, id, {}, 'armed');
  }

  /** Changes what is given; a changed user or phone brings a fresh secret with it. */
  change(wanted: WantedHandset): void {
    const { handset, at } = found(this.#handsets, wanted.id);
    const isNewUser = wanted.user !== undefined && wanted.user !== handset.user;
    const { phone } = wanted;
    const before = handset.phone;
    const isMoved =
      phone !== undefined &&
      (before?.mac !== phone.mac || before.model !== phone.model || (before.port ?? 1) !== phone.port);
    const changed = { ...handset, ...wanted };
    const isRenewed = isNewUser || isMoved;
    this.#handsets[at] = tidy(isRenewed ? { ...changed, ha1: this.#freshHa1(changed) } : changed);
    const mac = changed.phone?.mac;
    if (isRenewed && mac !== undefined)
      this.#arm(mac, wanted.id, { secrets: [wanted.id], token: isMoved }, 'armed with a fresh secret');
  }

  /** Takes a handset's line away: it is a phone without a wire of ours from then on. */
  unwire(id: string): void {
    const { handset, at } = found(this.#handsets, id);
    const { line: _, ...rest } = handset;
    this.#handsets[at] = rest;
  }

  remove(id: string): void {
    this.#handsets.splice(found(this.#handsets, id).at, 1);
  }

  /** Opens the time in which a handset's device may fetch; with `rotate` its secret is fresh. */
  provision(id: string, rotate: boolean, newToken: boolean): void {
    const { handset, at } = found(this.#handsets, id);
    const { phone } = handset;
    if (phone === undefined)
      throw new EditFault('handset.no-phone', `${id} has no phone: balise handset replace gives it one`);
    const isFirst = this.#book.read(phone.mac)?.secrets[id] === undefined;
    const isFresh = rotate || isFirst;
    if (isFresh) this.#handsets[at] = { ...handset, ha1: this.#freshHa1(handset) };
    const what = `armed${isFresh ? ', secret renewed' : ''}${newToken ? ', token renewed' : ''}`;
    this.#arm(phone.mac, id, { secrets: isFresh ? [id] : [], token: newToken }, what);
  }

  /** The edit as `editHandsets` wants it. Enrolments are written when the whole has been found sound. */
  finished(): Edit {
    return { handsets: this.#handsets, prepare: (site) => this.#writeEnrolments(site), notes: this.#notes };
  }

  /** The devices that were armed, by their addresses. */
  get armedMacs(): readonly string[] {
    return [...this.#armed.keys()];
  }

  /** Of a fresh secret, by the digests that its phone is known to have; by both where a person keys it in. */
  #freshHa1({ id, user = '', phone }: Omit<RawHandset, 'ha1'>): Handset['ha1'] {
    const secret = newSecret();
    this.#secrets.set(id, secret);
    const both = ha1Of(user, this.#site.site.sip.realm, secret);
    const digests = phone === undefined ? undefined : this.#templates.get(phone.model)?.digests;
    return digests === undefined ? both : Object.fromEntries(digests.map((digest) => [digest, both[digest]]));
  }

  #arm(mac: string, id: string, renewal: Renewal, what: string): void {
    const before = this.#armed.get(mac);
    const secrets = [...(before?.secrets ?? []), ...(renewal.secrets ?? [])];
    this.#armed.set(mac, { secrets, token: renewal.token === true || before?.token === true });
    this.#notes.push({ handset: id, what: `${mac} ${what}` });
  }

  #writeEnrolments(site: SiteFiles): void {
    const armedUntilMs = clock.wall().epochMilliseconds + (site.site.provisioning?.armedH ?? ARMED_H) * HOUR_MS;
    const devices = devicesOf(site.handsets);
    const notebook = new DeviceNotebook(site.dataFolder);
    for (const [mac, renewal] of this.#armed) {
      const handsets = devices.get(mac)?.ports.map(({ handset }) => handset.id) ?? [];
      this.#book.write(this.#withDrawn(armed(mac, handsets, armedUntilMs, this.#book.read(mac), renewal)));
    }
    // What is no handset's any more is nobody's: its secrets go.
    for (const mac of this.#book.macs().filter((one) => !devices.has(one))) {
      this.#book.remove(mac);
      notebook.remove(mac);
    }
  }

  #withDrawn(enrolment: Enrolment): Enrolment {
    const drawn = Object.keys(enrolment.secrets).flatMap((id) => {
      const secret = this.#secrets.get(id);
      return secret === undefined ? [] : [[id, secret] as const];
    });
    return { ...enrolment, secrets: { ...enrolment.secrets, ...Object.fromEntries(drawn) } };
  }
}
