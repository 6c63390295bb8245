import { lines, plain, type TortureMessage } from './torture-message.js';

const REGISTER = (host: string): string => `REGISTER sip:${host} SIP/2.0`;

/** RFC 5118 §4: addresses of version 6, wherever they may stand. */
export const IPV6: readonly TortureMessage[] = [
  {
    clause: '4.1',
    about: 'a valid IPv6 reference',
    text: lines(
      ...plain(REGISTER('[2001:db8::10]'), 'ipv6-good', [
        'Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111',
        'Contact: "Caller" <sip:caller@[2001:db8::1]>',
        'l: 0',
      ]),
    ),
    verdict: { reaches: 'REGISTER' },
  },
  {
    clause: '4.2',
    about: 'an IPv6 address without its brackets',
    text: lines(
      ...plain(REGISTER('2001:db8::10'), 'ipv6-bad', [
        'Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-112',
        'Contact: "Caller" <sip:caller@[2001:db8::1]>',
        'l: 0',
      ]),
    ),
    verdict: { refused: 400 },
  },
  {
    clause: '4.3',
    about: 'a port that has become part of the address',
    text: lines(...plain(REGISTER('[2001:db8::10:5070]'), 'port-ambiguous', ['l: 0'])),
    verdict: { reaches: 'REGISTER' },
  },
  {
    clause: '4.4',
    about: 'a port behind the brackets',
    text: lines(...plain(REGISTER('[2001:db8::10]:5070'), 'port-unambiguous', ['l: 0'])),
    verdict: { reaches: 'REGISTER' },
  },
  {
    clause: '4.5',
    about: 'brackets in the received parameter; the BYE is of no dialog here',
    text: lines(
      ...plain('BYE sip:[2001:db8::10] SIP/2.0', 'via-received-delim', [
        'To: sip:user@example.com;tag=bd76ya',
        'Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-113',
        'l: 0',
      ]),
    ),
    verdict: { refused: 481 },
  },
  {
    clause: '4.5',
    about: 'no brackets in the received parameter',
    text: lines(
      ...plain('OPTIONS sip:[2001:db8::10] SIP/2.0', 'via-received-no-delim', [
        'Via: SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3-114',
        'l: 0',
      ]),
    ),
    verdict: { reaches: 'OPTIONS' },
  },
  {
    clause: '4.6, 4.8',
    about: 'IPv6 and IPv4 addresses in one description',
    text: ((body: string) =>
      `${plain('INVITE sip:user@[2001:db8::10] SIP/2.0', 'ipv6-in-sdp', ['Contact: "Caller" <sip:caller@[2001:db8::20]>', 'Content-Type: application/sdp', `Content-Length: ${body.length}`]).join('\r\n')}\r\n\r\n${body}`)(
      'v=0\r\no=assistant 971731711378798081 0 IN IP6 2001:db8::20\r\ns=Live video feed\r\nc=IN IP6 2001:db8::1\r\nt=3338481189 3370017201\r\nm=audio 6000 RTP/AVP 2\r\nm=video 6024 RTP/AVP 107\r\nc=IN IP4 192.0.2.1\r\n',
    ),
    verdict: { reaches: 'INVITE' },
  },
  {
    clause: '4.7',
    about: 'addresses of both versions in the headers',
    text: lines(
      ...plain('OPTIONS sip:user@[2001:db8::10] SIP/2.0', 'mult-ip', [
        'Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-115',
        'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144',
        'Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200',
        'l: 0',
      ]),
    ),
    verdict: { reaches: 'OPTIONS' },
  },
  {
    clause: '4.9',
    about: 'IPv4 addresses mapped into IPv6',
    text: lines(
      ...plain('INVITE sip:user@example.com SIP/2.0', 'ipv4-mapped', [
        'Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19',
        'Via: SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKas3-116',
        'Contact: "T. desk phone" <sip:ted@[::ffff:192.0.2.2]>',
        'l: 0',
      ]),
    ),
    verdict: { reaches: 'INVITE' },
  },
  {
    clause: '4.10',
    about: 'the third colon that RFC 3261’s grammar put before an IPv4 part is borne with',
    text: lines(...plain('OPTIONS sip:user@[2001:db8:::192.0.2.1] SIP/2.0', 'abnf-3-colons', ['l: 0'])),
    verdict: { reaches: 'OPTIONS' },
  },
  {
    clause: '4.10',
    about: 'and so are the two colons that are right',
    text: lines(...plain('OPTIONS sip:user@[2001:db8::192.0.2.1] SIP/2.0', 'abnf-2-colons', ['l: 0'])),
    verdict: { reaches: 'OPTIONS' },
  },
];
