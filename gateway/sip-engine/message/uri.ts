import { isIPv6 } from 'node:net';

/** A sip or sips URI as far as routing needs it (RFC 3261 §19.1); user and parameters are kept as written. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** Without the `@`; undefined when there is none. */
  readonly user: string | undefined;
  /** Lower case; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** `;name=value…` as written, or empty. */
  readonly params: string;
  /** `?name=value…` as written, or empty. */
  readonly headers: string;
}

const HOST = /^[A-Za-z0-9._-]+$/;

/** Parses a port, undefined when it is none. */
export function parsePort(text: string): number | undefined {
  if (text.length === 0 || text.length > 5) return undefined;
  let port = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    port = port * 10 + digit;
  }
  return port > 65_535 ? undefined : port;
}

export interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

/** Parses `host`, `host:port`, `[v6]` or `[v6]:port`. */
export function parseHostPort(text: string): HostPort | undefined {
  if (text.charCodeAt(0) === 0x5b) {
    const end = text.indexOf(']');
    // RFC 3261's grammar allowed a third colon before an IPv4 part; it is to be borne with (RFC 5118 §4.10, RFC 5954).
    const host = text
      .slice(1, end)
      .replace(/:::(?=\d{1,3}\.)/, '::')
      .toLowerCase();
    if (end < 0 || !isIPv6(host)) return undefined;
    if (end === text.length - 1) return { host, port: undefined };
    const port = text.charCodeAt(end + 1) === 0x3a ? parsePort(text.slice(end + 2)) : undefined;
    return port === undefined ? undefined : { host, port };
  }
  const colon = text.indexOf(':');
  const host = colon < 0 ? text : text.slice(0, colon);
  if (!HOST.test(host)) return undefined;
  if (colon < 0) return { host: host.toLowerCase(), port: undefined };
  const port = parsePort(text.slice(colon + 1));
  return port === undefined ? undefined : { host: host.toLowerCase(), port };
}

/** Parses a sip or sips URI; undefined when it is neither or is malformed. */
export function parseUri(text: string): SipUri | undefined {
  const colon = text.indexOf(':');
  if (colon !== 3 && colon !== 4) return undefined;
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  // The user part may hold `;` and `?`, so the last `@` before the host is looked for first.
  const at = text.lastIndexOf('@');
  const user = at < 0 ? undefined : text.slice(colon + 1, at);
  if (user === '' || user?.includes('@')) return undefined;
  const hostStart = at < 0 ? colon + 1 : at + 1;
  const semicolon = text.indexOf(';', hostStart);
  const question = text.indexOf('?', hostStart);
  let hostEnd = text.length;
  if (semicolon >= 0) hostEnd = semicolon;
  if (question >= 0 && question < hostEnd) hostEnd = question;
  const place = parseHostPort(text.slice(hostStart, hostEnd));
  if (place === undefined) return undefined;
  const paramsEnd = question >= 0 ? question : text.length;
  return {
    scheme,
    user,
    host: place.host,
    port: place.port,
    params: semicolon >= 0 && semicolon < paramsEnd ? text.slice(semicolon, paramsEnd) : '',
    headers: question >= 0 ? text.slice(question) : '',
  };
}

/** The value of a parameter in `;a=b;c` text: `''` for one without a value, undefined when it is not there. Names are compared without case. */
export function paramOf(params: string, name: string): string | undefined {
  let at = 0;
  while (at < params.length) {
    const start = at + 1;
    const end = endOfParam(params, start);
    const equals = params.indexOf('=', start);
    const nameEnd = equals >= 0 && equals < end ? equals : end;
    const written = params.slice(start, nameEnd).trim();
    if (written.length === name.length && written.toLowerCase() === name) {
      return nameEnd === end ? '' : params.slice(nameEnd + 1, end).trim();
    }
    at = end;
  }
  return undefined;
}

/** Where the parameter that starts there ends; a semicolon in quotes ends none (RFC 3261 §25.1). */
function endOfParam(params: string, start: number): number {
  for (let at = start, isQuoted = false; at < params.length; at++) {
    const code = params.charCodeAt(at);
    if (code === 0x22) isQuoted = !isQuoted;
    else if (code === 0x5c && isQuoted) at++;
    else if (code === 0x3b && !isQuoted) return at;
  }
  return params.length;
}

/** An address as it stands in a URI or a Via: IPv6 in brackets. */
export function printHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
