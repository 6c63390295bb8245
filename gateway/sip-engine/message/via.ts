import { hasEmptyParam } from './name-addr.js';
import { paramOf, parseHostPort } from './uri.js';

/** The topmost Via value (RFC 3261 §20.42). */
export interface Via {
  /** `udp`, `tcp`, …: lower case. */
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  /** sent-by as written, for matching (RFC 3261 §17.2.3). */
  readonly sentBy: string;
  readonly params: string;
  readonly branch: string | undefined;
}

/** Parses one Via value; undefined when it is malformed. */
export function parseVia(value: string): Via | undefined {
  const semicolon = value.indexOf(';');
  const head = semicolon < 0 ? value : value.slice(0, semicolon);
  const params = semicolon < 0 ? '' : value.slice(semicolon);
  let transport: string;
  let sentBy: string;
  if (head.startsWith('SIP/2.0/UDP ')) {
    transport = 'udp';
    sentBy = head.slice(12).trim();
  } else {
    // Space may stand around the slashes and the colon (RFC 3261 §25.1).
    const match = /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z0-9-]+)\s+/i.exec(head);
    if (match === null) return undefined;
    transport = (match[1] ?? '').toLowerCase();
    sentBy = head.slice(match[0].length).replaceAll(' ', '').replaceAll('\t', '');
  }
  if (hasEmptyParam(params)) return undefined;
  const place = parseHostPort(sentBy);
  if (place === undefined) return undefined;
  return { transport, host: place.host, port: place.port, sentBy, params, branch: branchOf(params) };
}

function branchOf(params: string): string | undefined {
  const at = params.indexOf(';branch=');
  if (at < 0) return paramOf(params, 'branch') || undefined;
  const start = at + 8;
  const end = params.indexOf(';', start);
  const branch = (end < 0 ? params.slice(start) : params.slice(start, end)).trim();
  return branch === '' ? undefined : branch;
}

/** Where the topmost of several comma-separated Via values ends. */
export function topViaEnd(value: string): number {
  const comma = value.indexOf(',');
  return comma < 0 ? value.length : comma;
}

/**
 * The Via value with what we saw of its sender: `rport` always (RFC 3581 asks for it on request; a server that always
 * answers to where the request came from reaches phones behind address translation too), `received` where the address differs.
 */
export function stampVia(value: string, via: Via, address: string, port: number): string {
  let stamped = value.trimEnd();
  const rport = paramOf(via.params, 'rport');
  if (rport === undefined) stamped += `;rport=${port}`;
  else stamped = stamped.replace(/;\s*rport(\s*=[^;]*)?/i, `;rport=${port}`);
  if (via.host !== address) {
    if (paramOf(via.params, 'received') === undefined) stamped += `;received=${address}`;
    else stamped = stamped.replace(/;\s*received\s*=[^;]*/i, `;received=${address}`);
  }
  return stamped;
}
