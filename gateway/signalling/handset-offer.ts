/** What a handset is offered that we call: first a session without sound, then, in the same words, the one of its call. */
import { randomInt } from 'node:crypto';
import { isIPv6 } from 'node:net';

/** G.711 and RFC 4733 events, at no address and with no sound: a session to be filled later (RFC 3725 §5). `address` is the handset's. */
export function silentOffer(address: string): string {
  const nowhere = isIPv6(address) ? 'IN IP6 ::' : 'IN IP4 0.0.0.0';
  return [
    'v=0',
    `o=balise ${randomInt(1, 2 ** 47)} 1 ${nowhere}`,
    's=-',
    `c=${nowhere}`,
    't=0 0',
    'm=audio 9 RTP/AVP 8 0 101',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=inactive',
    '',
  ].join('\r\n');
}

/** The handset's answer to a silent offer, as the offer that it would have made itself: it can only be as silent as it was asked. */
export function asOffer(answer: string): string {
  return answer.replace(/^a=(?:inactive|sendonly|recvonly)(\r?)$/gm, 'a=sendrecv$1');
}

/** `sdp` as the next version of the session that `last` describes (RFC 3264 §8). */
export function nextOffer(last: string, sdp: string): string {
  const [, id = '1', version = '1'] = /^o=\S+ (\d+) (\d+)/m.exec(last) ?? [];
  return sdp.replace(/^o=\S+ \d+ \d+ /m, `o=balise ${id} ${Number(version) + 1} `);
}
