import type { PhoneTemplate } from '../../config/schema/types.generated.js';

/** A registration as the registrar saw it. */
export interface Registration {
  readonly handset: string;
  /** The source address of the REGISTER. */
  readonly address: string;
  /** Its User-Agent; empty when it had none. */
  readonly userAgent: string;
}

/** What the device was provisioned as. */
export interface Provisioned {
  readonly template: PhoneTemplate;
  readonly mac: string;
  readonly model: string;
  /** The address that fetched the configuration; absent when nobody has. */
  readonly fetchedFrom?: string;
}

/** Every MAC address that a User-Agent says, in the one form. */
function macsIn(userAgent: string): string[] {
  const found = userAgent.matchAll(/(?<![0-9a-f])([0-9a-f]{12}|[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})(?![0-9a-f])/gi);
  return [...found].map(([text]) => text.toLowerCase().replace(/[^0-9a-f]/g, ''));
}

/**
 * What of a registration does not fit what was provisioned, in words; empty when all does. Pure. A User-Agent is what the
 * device says of itself: a match proves nothing, a mismatch is a phone that was swapped, reset or imitated carelessly.
 */
export function mismatches(seen: Registration, as: Provisioned): readonly string[] {
  const { agent, maker } = as.template;
  const found: string[] = [];
  if (agent !== undefined && !new RegExp(agent.pattern, 'i').test(seen.userAgent)) {
    found.push(
      `it says that it is ${JSON.stringify(seen.userAgent.slice(0, 80))}, and a ${maker} ${as.model} was provisioned`,
    );
  }
  const macs = macsIn(seen.userAgent);
  if (macs.length > 0 && !macs.includes(as.mac))
    found.push(`it says the address ${macs[0]}, and ${as.mac} was provisioned`);
  if (macs.length === 0 && agent?.carriesMac === true && found.length === 0) {
    found.push('it says no MAC address, and with its configuration it would');
  }
  if (as.fetchedFrom !== undefined && as.fetchedFrom !== seen.address) {
    found.push(`it registers from ${seen.address}, and ${as.fetchedFrom} fetched its configuration`);
  }
  return found;
}
