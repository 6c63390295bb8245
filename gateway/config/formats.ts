import { isIP } from 'node:net';
import { isSupportedCountry } from 'libphonenumber-js/max';
import { addressBits, parseNetwork } from './networks.js';

/** Whether `name` is an IANA time zone by name; offsets such as +01:00 know no summer time and are refused. */
export function isZone(name: string): boolean {
  if (!/^(UTC|[A-Z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)+)$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (fault) {
    if (fault instanceof RangeError) return false;
    throw fault;
  }
}

function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  // Four numbers with dots that are no address are a slip of the finger and no host name (RFC 1123 §2.1).
  if (/^[0-9.]+$/.test(text) || text.length > 253) return false;
  return text.split('.').every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label));
}

/** What a text must be to have one of the `format`s of our schemas. */
export const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  'iana-zone': isZone,
  country: (text) => isSupportedCountry(text),
  'ip-address': (text) => addressBits(text) !== undefined,
  cidr: (text) => parseNetwork(text) !== undefined,
  host: isHost,
};
