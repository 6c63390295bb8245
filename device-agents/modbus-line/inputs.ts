import type { Device } from '../../config/schema/types.generated.js';
import { msBetween } from '../clock.js';
import { bitAt, type READ_BITS } from './frame.js';

type Table = keyof typeof READ_BITS;

export interface InputRead {
  readonly table: Table;
  readonly base: number;
  readonly count: number;
}

/** Two inputs of one table that are at most this far apart are read together. */
const WIDEST = 256;

interface Contact {
  lifted: boolean;
  /** Since when the input has said otherwise; 0 while it agrees. */
  otherwiseNs: bigint;
}

/** The inputs of a board: what to read, and what was read means. */
export class InputMap {
  readonly reads: readonly InputRead[];
  readonly #device: Device;
  readonly #contacts: readonly Contact[];
  #tamper = false;
  #isFirst = true;

  constructor(device: Device) {
    this.#device = device;
    this.reads = readsOf(device);
    this.#contacts = Array.from({ length: device.hook.count }, () => ({ lifted: false, otherwiseNs: 0n }));
  }

  get tamper(): boolean {
    return this.#tamper;
  }

  isLifted(input: number): boolean {
    return this.#contacts[input]?.lifted === true;
  }

  /** Takes what a read brought at `nowNs`. */
  take(table: Table, base: number, count: number, data: Buffer, nowNs: bigint): void {
    const { hook, tamper } = this.#device;
    const valueAt = (address: number) =>
      address < base || address >= base + count ? undefined : bitAt(data, address - base);
    if (tamper?.fc === table) {
      const value = valueAt(tamper.base);
      if (value !== undefined) this.#tamper = value !== tamper.activeLow;
    }
    if (hook.fc !== table) return;
    for (const [input, contact] of this.#contacts.entries()) {
      const value = valueAt(hook.base + input);
      if (value !== undefined) this.#settle(contact, value !== hook.activeLow, nowNs);
    }
    if (valueAt(hook.base) !== undefined) this.#isFirst = false;
  }

  #settle(contact: Contact, lifted: boolean, nowNs: bigint): void {
    const { debounceMs } = this.#device.hook;
    if (lifted === contact.lifted) {
      contact.otherwiseNs = 0n;
      return;
    }
    if (contact.otherwiseNs === 0n) contact.otherwiseNs = nowNs;
    if (!this.#isFirst && msBetween(contact.otherwiseNs, nowNs) < debounceMs) return;
    contact.lifted = lifted;
    contact.otherwiseNs = 0n;
  }
}

/** One read for all inputs where they stand close together in one table, and one more for a tamper input elsewhere. */
function readsOf({ hook, tamper }: Device): InputRead[] {
  const hooks: InputRead = { table: hook.fc, base: hook.base, count: hook.count };
  if (tamper === undefined) return [hooks];
  const first = Math.min(hook.base, tamper.base);
  const count = Math.max(hook.base + hook.count, tamper.base + 1) - first;
  if (tamper.fc === hook.fc && count <= WIDEST) return [{ table: hook.fc, base: first, count }];
  return [hooks, { table: tamper.fc, base: tamper.base, count: 1 }];
}
