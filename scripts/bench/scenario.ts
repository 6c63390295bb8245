/** The two ends of a measured call, as SIPp's scenarios. */

export interface HandsetPlay {
  /** The gateway asks for a password first. */
  readonly challenged: boolean;
  /** `waits`: for the gateway's BYE; `hangs-up`: after SIPp's `-d` milliseconds. */
  readonly ends: 'waits' | 'hangs-up';
}

const TALK = `Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=peer 1 1 IN IP4 127.0.0.1
      s=-
      c=IN IP4 127.0.0.1
      t=0 0
      m=audio [rtp_port] RTP/AVP 0 101
      a=rtpmap:0 PCMU/8000
      a=rtpmap:101 telephone-event/8000
      a=ptime:20`;

const ereg = (name: string, regexp: string): string =>
  `<ereg regexp="${regexp}" search_in="msg" assign_to="0,${name}" />`;

/** Writes "<number of the call> <own audio port> <audio port of the other side>" to SIPp's log, where one is kept. */
const note = (ownPort: string): string =>
  `<action>
      ${ereg('port', 'm=audio ([0-9]+)')}
      <log message="[call_number] ${ownPort} [$port]" />
    </action>`;

const send = (text: string, retransmitted = false): string =>
  `  <send${retransmitted ? ' retrans="500"' : ''}>
    <![CDATA[
      ${text}

    ]]>
  </send>`;

const OK_TO_BYE = `  <recv request="BYE" />
${send(`SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0`)}`;

const scenario = (name: string, steps: readonly string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>
<scenario name="${name}">
${steps.join('\n')}
  <Reference variables="0" />
</scenario>
`;

/** The place in a handset's line of its own IP address, as SIPp's `-ip_field` wants it. */
export const ADDRESS_FIELD = 4;

/** Line of the injection file of a handset: user; password; number to dial; its audio port; its address. */
export const handsetLine = (user: string, password: string, number: string, rtpPort: number, address: string): string =>
  `${user};[authentication username=${user} password=${password}];${number};${rtpPort};${address};`;

const request = (method: string, cseq: number, to: 'first' | 'last', branch = '[branch]'): string =>
  `${method} sip:[field2]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [field4]:[own_port];branch=${branch};rport
      From: <sip:[field0]@balise>;tag=[call_number]a
      ${to === 'last' ? '[last_To:]' : 'To: <sip:[field2]@[remote_ip]:[remote_port]>'}
      Call-ID: [call_id]
      CSeq: ${cseq} ${method}
      Contact: <sip:[field0]@[field4]:[own_port]>
      Max-Forwards: 70`;

const EMPTY = 'Content-Length: 0';
const sdp = TALK.replace('[rtp_port]', '[field3]');

export function handsetScenario({ challenged, ends }: HandsetPlay): string {
  const cseq = challenged ? 2 : 1;
  const proof = challenged
    ? [
        '  <recv response="100" optional="true" />',
        '  <recv response="401" auth="true" />',
        send(`${request('ACK', 1, 'last', '[branch-3]')}\n      ${EMPTY}`),
        send(`${request('INVITE', 2, 'first')}\n      [field1]\n      ${sdp}`, true),
      ]
    : [];
  return scenario('handset', [
    send(`${request('INVITE', 1, 'first')}\n      ${sdp}`, true),
    ...proof,
    '  <recv response="100" optional="true" />',
    '  <recv response="180" optional="true" />',
    '  <recv response="183" optional="true" />',
    `  <recv response="200">${note('[field3]')}</recv>`,
    send(`${request('ACK', cseq, 'last')}\n      ${EMPTY}`),
    ...(ends === 'waits'
      ? [OK_TO_BYE]
      : [
          '  <pause />',
          send(`${request('BYE', cseq + 1, 'last')}\n      ${EMPTY}`, true),
          '  <recv response="200" />',
        ]),
  ]);
}

const RESPONSE = `[last_Via:]
      [last_From:]
      [last_To:];tag=[call_number]c
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:carrier@[local_ip]:[local_port]>`;

/** Rings and answers at once, and waits for BYE. Line of its injection file: its audio port. */
export function carrierScenario(): string {
  return scenario('carrier', [
    `  <recv request="INVITE">${note('[field0]')}</recv>`,
    send(`SIP/2.0 180 Ringing\n      ${RESPONSE}\n      ${EMPTY}`),
    send(`SIP/2.0 200 OK\n      ${RESPONSE}\n      ${TALK.replace('[rtp_port]', '[field0]')}`, true),
    '  <recv request="ACK" />',
    OK_TO_BYE,
  ]);
}
