import { lines, plain, type TortureMessage, withSdp } from './torture-message.js';

const OPTIONS = 'OPTIONS sip:user@example.org SIP/2.0';
const INVITE = 'INVITE sip:user@example.com SIP/2.0';

/** RFC 4475 §3.1.2: wrong. Where the RFC leaves the choice between bearing with it and a 400, the engine's choice stands here. */
export const INVALID: readonly TortureMessage[] = [
  {
    clause: '3.1.2.1 badinv01',
    about: 'separators with nothing between them in Via',
    text: withSdp(plain(INVITE, 'badinv01', ['Via: SIP/2.0/UDP 192.0.2.15;;,;,,'])),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.1 badinv01',
    about: 'separators with nothing between them in Contact',
    text: withSdp(plain(INVITE, 'badinv01c', ['Contact: "Joe" <sip:joe@example.org>;;;;'])),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.2 clerr',
    about: 'Content-Length larger than the datagram',
    text: withSdp(plain(INVITE, 'clerr'), 9999),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.3 ncl',
    about: 'negative Content-Length',
    text: withSdp(plain(INVITE, 'ncl'), -999),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.4 scalar02',
    about: 'numbers larger than their fields can hold: the CSeq decides',
    text: lines(
      ...plain('REGISTER sip:example.com SIP/2.0', 'scalar02', [
        'CSeq: 36893488147419103232 REGISTER',
        'Max-Forwards: 300',
        'Expires: 1099511627776',
        'Contact: <sip:user@host129.example.com>;expires=280297596632815',
        'l: 0',
      ]),
    ),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.5 scalarlg',
    about: 'a response whose CSeq is larger than its field can hold',
    text: lines(
      'SIP/2.0 503 Service Unavailable',
      'Via: SIP/2.0/UDP host129.example.com;branch=z9hG4bKzzxdiwo34sw;received=192.0.2.129',
      'To: <sip:user@example.com>',
      'From: <sip:other@example.net>;tag=2easdjfejw',
      'CSeq: 9292394834772304023312 OPTIONS',
      'Call-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r',
      'Retry-After: 949302838503028349304023988',
      'Content-Length: 0',
    ),
    verdict: 'discarded',
  },
  {
    clause: '3.1.2.6 quotbal',
    about: 'a quoted string without end in To',
    text: lines(...plain(OPTIONS, 'quotbal', ['To: "Mr. J. User <sip:j.user@example.com>', 'l: 0'])),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.7 ltgtruri',
    about: 'brackets around the Request-URI',
    text: lines(...plain('INVITE <sip:user@example.com> SIP/2.0', 'ltgtruri', ['l: 0'])),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.8 lwsruri',
    about: 'white space within the Request-URI',
    text: lines(...plain('INVITE sip:user@example.com; lr SIP/2.0', 'lwsruri', ['l: 0'])),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.9 lwsstart',
    about: 'several spaces between the parts of the start line',
    text: lines(...plain('INVITE  sip:user@example.com  SIP/2.0', 'lwsstart', ['l: 0'])),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.10 trws',
    about: 'spaces at the end of the start line',
    text: lines(...plain('OPTIONS sip:remote-target@example.com SIP/2.0  ', 'trws', ['l: 0'])),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.11 escruri',
    about: 'headers in the Request-URI',
    text: lines(...plain('INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0', 'escruri', ['l: 0'])),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.12 baddate',
    about: 'a Date in another zone than GMT is no reason to refuse',
    text: lines(...plain(INVITE, 'baddate', ['Date: Fri, 01 Jan 2010 16:00:00 EST', 'l: 0'])),
    verdict: { reaches: 'INVITE' },
  },
  {
    clause: '3.1.2.13 regbadct',
    about: 'a Contact that needs brackets and has none',
    text: lines(
      ...plain('REGISTER sip:example.com SIP/2.0', 'regbadct', [
        'Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E',
        'l: 0',
      ]),
    ),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.14 badaspec',
    about: 'spaces within the brackets are borne with',
    text: lines(...plain(OPTIONS, 'badaspec', ['To: "Watson, Thomas" < sip:t.watson@example.org >', 'l: 0'])),
    verdict: { reaches: 'OPTIONS' },
  },
  {
    clause: '3.1.2.15 baddn',
    about: 'a comma in a display name without quotes',
    text: lines(...plain(OPTIONS, 'baddn', ['From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43', 'l: 0'])),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.16 badvers',
    about: 'a version of the future',
    text: lines(
      ...plain('OPTIONS sip:t.watson@example.org SIP/7.0', 'badvers', [
        'Via: SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw',
        'l: 0',
      ]).map((line) => line.replace('Via: SIP/7.0', 'Via: SIP/2.0')),
    ),
    verdict: { refused: 505 },
  },
  {
    clause: '3.1.2.17 mismatch01',
    about: 'another method in CSeq',
    text: lines(...plain(OPTIONS, 'mismatch01', ['CSeq: 8 INVITE', 'l: 0'])),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.18 mismatch02',
    about: 'an unknown method, and another in CSeq',
    text: lines(...plain('NEWMETHOD sip:user@example.com SIP/2.0', 'mismatch02', ['CSeq: 8 INVITE', 'l: 0'])),
    verdict: { refused: 400 },
  },
  {
    clause: '3.1.2.19 bigcode',
    about: 'a status that is none',
    text: lines(
      'SIP/2.0 4294967301 better not break the receiver',
      'Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe',
      'Call-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i',
      'CSeq: 353494 INVITE',
      'From: <sip:user@example.com>;tag=39ansfi3',
      'To: <sip:user@example.edu>;tag=902jndnke3',
      'Content-Length: 0',
    ),
    verdict: 'discarded',
  },
];

/** RFC 4475 §3.2 to §3.4: well-formed, and yet not to be taken at its word. */
export const SEMANTICS: readonly TortureMessage[] = [
  {
    clause: '3.2.1 badbranch',
    about: 'a branch that is nothing but the cookie identifies no transaction: RFC 2543 does',
    text: lines(...plain(OPTIONS, 'badbranch', ['Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK', 'l: 0'])),
    verdict: { reaches: 'OPTIONS' },
  },
  {
    clause: '3.3.1 insuf',
    about: 'no Call-ID, no From, no To',
    text: lines(
      'INVITE sip:user@example.com SIP/2.0',
      'CSeq: 193942 INVITE',
      'Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf',
      'Content-Length: 0',
    ),
    verdict: { refused: 400 },
  },
  {
    clause: '3.3.2 unkscm',
    about: 'a Request-URI of a scheme that nobody knows',
    text: lines(...plain('OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0', 'unkscm', ['l: 0'])),
    verdict: { refused: 416 },
  },
  {
    clause: '3.3.3 novelsc',
    about: 'a Request-URI of a scheme that is known and is not for SIP',
    text: lines(...plain('OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0', 'novelsc', ['l: 0'])),
    verdict: { refused: 416 },
  },
  {
    clause: '3.3.4 unksm2',
    about: 'other schemes in To, From and Contact are for the registrar to judge',
    text: lines(
      ...plain('REGISTER sip:example.com SIP/2.0', 'unksm2', [
        'To: isbn:2983792873',
        'From: <http://www.example.com>;tag=3234233',
        'Contact: <name:John_Smith>',
        'l: 0',
      ]),
    ),
    verdict: { reaches: 'REGISTER' },
  },
  {
    clause: '3.3.5 bext01',
    about: 'extensions are required that nobody has',
    text: lines(
      ...plain(OPTIONS, 'bext01', [
        'Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis',
        'Require: nothingSupportsThis, nothingSupportsThisEither',
        'l: 0',
      ]),
    ),
    verdict: { refused: 420 },
  },
  {
    clause: '3.3.6 invut',
    about: 'a body of an unknown type is for the application to refuse',
    text: `${lines(...plain(INVITE, 'invut', ['Content-Type: application/unknownformat', 'Content-Length: 26']))}<audio><pcmu port="443"/>\r\n`,
    verdict: { reaches: 'INVITE' },
  },
  {
    clause: '3.3.7 regaut01',
    about: 'an unknown authorization scheme is for the registrar to challenge',
    text: lines(
      ...plain('REGISTER sip:example.com SIP/2.0', 'regaut01', [
        'Authorization: NoOneKnowsThisScheme opaque-data=here',
        'l: 0',
      ]),
    ),
    verdict: { reaches: 'REGISTER' },
  },
  {
    clause: '3.3.8 multi01',
    about: 'several values where one may be',
    text: lines(
      'INVITE sip:user@company.com SIP/2.0',
      'Contact: <sip:caller@host25.example.net>',
      'Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKmulti01',
      'Max-Forwards: 70',
      'CSeq: 5 INVITE',
      'Call-ID: multi01.98asdh@192.0.2.1',
      'CSeq: 59 INVITE',
      'Call-ID: multi01.98asdh@192.0.2.2',
      'From: sip:caller@example.com;tag=3413415',
      'To: sip:user@example.com',
      'To: sip:other@example.net',
      'From: sip:caller@example.net;tag=2923420123',
      'Content-Length: 0',
      'Contact: <sip:caller@host36.example.net>',
    ),
    verdict: { refused: 400 },
  },
  {
    clause: '3.3.9 mcl01',
    about: 'two Content-Length headers that disagree',
    text: lines(...plain(OPTIONS, 'mcl01', ['Content-Length: 13', 'Content-Length: 5'])).concat('There is no body'),
    verdict: { refused: 400 },
  },
  {
    clause: '3.3.10 bcast',
    about: 'a response that is to be broadcast',
    text: lines(
      'SIP/2.0 200 OK',
      'Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923',
      'Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23',
      'Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf',
      'CSeq: 35 INVITE',
      'From: sip:user@example.com;tag=11141343',
      'To: sip:user@example.edu;tag=2229',
      'Contact: <sip:user@host28.example.com>',
      'Content-Length: 0',
    ),
    verdict: 'discarded',
  },
  {
    clause: '3.3.11 zeromf',
    about: 'Max-Forwards of zero has arrived, for whoever is the target',
    text: lines(...plain(OPTIONS, 'zeromf', ['Max-Forwards: 0', 'l: 0'])),
    verdict: { reaches: 'OPTIONS' },
  },
  {
    clause: '3.3.12 cparam01',
    about: 'a Contact with a parameter of its own',
    text: lines(
      ...plain('REGISTER sip:example.com SIP/2.0', 'cparam01', [
        'Contact: sip:+19725552222@gw1.example.net;unknownparam',
        'l: 0',
      ]),
    ),
    verdict: { reaches: 'REGISTER' },
  },
  {
    clause: '3.3.13 cparam02',
    about: 'a Contact whose URI has a parameter',
    text: lines(
      ...plain('REGISTER sip:example.com SIP/2.0', 'cparam02', [
        'Contact: <sip:+19725552222@gw1.example.net;unknownparam>',
        'l: 0',
      ]),
    ),
    verdict: { reaches: 'REGISTER' },
  },
  {
    clause: '3.3.14 regescrt',
    about: 'a Contact whose URI holds a header',
    text: lines(
      ...plain('REGISTER sip:example.com SIP/2.0', 'regescrt', [
        'Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>',
        'l: 0',
      ]),
    ),
    verdict: { reaches: 'REGISTER' },
  },
  {
    clause: '3.3.15 sdp01',
    about: 'an answer that nobody can give is asked for: for the application to refuse',
    text: withSdp(plain(INVITE, 'sdp01', ['Accept: text/nobodyKnowsThis'])),
    verdict: { reaches: 'INVITE' },
  },
  {
    clause: '3.4.1 inv2543',
    about: 'an INVITE of RFC 2543, for those who still want such: without Contact there is no dialog to be had',
    text: withSdp([
      'INVITE sip:UserB@example.com SIP/2.0',
      'Via: SIP/2.0/UDP iftgw.example.com',
      'From: <sip:+12015550100@ift.client.example.net;user=phone>',
      'Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>',
      'To: sip:+12015550101@ss1.example.net;user=phone',
      'Call-ID: inv2543.1717@ift.client.example.com',
      'CSeq: 56 INVITE',
    ]),
    verdict: { refused: 400 },
  },
];
