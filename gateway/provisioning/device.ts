import type { Handset, Handsets } from '../../config/schema/types.generated.js';

/** A phone, or an adapter with several ports, and the handsets that it is. */
export interface Device {
  readonly mac: string;
  readonly model: string;
  readonly ports: readonly { readonly port: number; readonly handset: Handset }[];
}

/** The devices of a site, by MAC address. The site's check has seen to it that each has one model and each port one handset. */
export function devicesOf(handsets: Handsets): ReadonlyMap<string, Device> {
  const devices = new Map<string, Device>();
  for (const handset of handsets) {
    const { phone } = handset;
    if (phone === undefined) continue;
    const before = devices.get(phone.mac)?.ports ?? [];
    const ports = [...before, { port: phone.port, handset }].sort((a, b) => a.port - b.port);
    devices.set(phone.mac, { mac: phone.mac, model: phone.model, ports });
  }
  return devices;
}

/** A MAC address as people and phones write it, in its one form: 12 small hexadecimal digits; undefined when it is none. */
export function readMac(text: string): string | undefined {
  const plain = text.trim().toLowerCase();
  return /^([0-9a-f]{12}|[0-9a-f]{2}([:-][0-9a-f]{2}){5}|[0-9a-f]{4}(\.[0-9a-f]{4}){2})$/.test(plain)
    ? plain.replace(/[^0-9a-f]/g, '')
    : undefined;
}
