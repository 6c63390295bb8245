import type Srf from 'drachtio-srf';
import type { LegDialog, LegName } from '../calls/record.js';

const QUOTED = /"(?:[^"\\]|\\.)*"/g;
const TAG = /;\s*tag\s*=\s*([^;\s>]+)/i;
/** What stands in quotes is a name or a word: letters of the same number, of which nothing is read (RFC 3261 §25.1). */
const unread = (value: string): string => value.replace(QUOTED, ({ length }) => '_'.repeat(length));
const tagOf = (value: string): string => TAG.exec(unread(value))?.[1] ?? '';
const withoutTag = (value: string): string => {
  const { 0: found = '', index = 0 } = TAG.exec(unread(value)) ?? {};
  return (value.slice(0, index) + value.slice(index + found.length)).trim();
};
const contactUri = (value: string | undefined): string => {
  const text = unread(value ?? '');
  return /<([^>]+)>/.exec(text)?.[1] ?? text.split(';')[0]?.trim() ?? '';
};
const cseqOf = (value: string | undefined): number => Number.parseInt(value ?? '0', 10);
const routesOf = (message: Srf.SipMessage): string[] =>
  message.has('record-route') ? message.get('record-route').split(/,\s*(?=<)/) : [];
const transportOf = (protocol: string): LegDialog['transport'] =>
  protocol === 'tcp' || protocol === 'tls' ? protocol : 'udp';

/** Our INVITE to the trunk, before and after its answer: what a CANCEL or a BYE would need. */
export function trunkDialog(request: Srf.SrfRequest, response: Srf.SrfResponse | undefined): LegDialog {
  const from = request.get('from');
  const callId = request.get('call-id');
  const confirmed = response !== undefined && response.status >= 200;
  const seen: Srf.SipMessage = response ?? request;
  return {
    leg: 'trunk',
    state: confirmed ? 'confirmed' : 'early',
    dialogId: `${callId};from-tag=${tagOf(from)}`,
    callId,
    localUri: withoutTag(from),
    localTag: tagOf(from),
    remoteUri: withoutTag(seen.get('to')),
    remoteTag: response === undefined ? '' : tagOf(response.get('to')),
    remoteTarget: (response?.has('contact') === true && contactUri(response.get('contact'))) || request.uri,
    routeSet: response === undefined ? [] : routesOf(response).reverse(),
    cseq: cseqOf(request.get('cseq')),
    branch: /;\s*branch=([^;\s,]+)/i.exec(request.get('via'))?.[1] ?? '',
    transport: transportOf(seen.protocol),
    address: seen.source_address,
    port: Number(seen.source_port) || 5060,
  };
}

/** The handset's leg. `sent` is an answer of ours that carries the To tag (the 180 does). */
export function handsetDialog(request: Srf.SrfRequest, sent: Srf.SipMessage | undefined): LegDialog {
  const callId = request.get('call-id');
  const from = request.get('from');
  const to = sent?.get('to') ?? request.get('to');
  return {
    leg: 'handset' satisfies LegName,
    state: 'confirmed',
    dialogId: `${callId};from-tag=${tagOf(from)}`,
    callId,
    localUri: withoutTag(to),
    localTag: tagOf(to),
    remoteUri: withoutTag(from),
    remoteTag: tagOf(from),
    remoteTarget: contactUri(request.get('contact')),
    routeSet: routesOf(request),
    cseq: 1,
    branch: '',
    transport: transportOf(request.protocol),
    address: request.source_address,
    port: Number(request.source_port) || 5060,
  };
}
