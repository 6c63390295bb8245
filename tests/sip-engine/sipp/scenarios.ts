/** SIPp scenarios, one a side of a call: what each peer sends and what it must see. Written to files by the tests. */

const SDP = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=audio 7000 RTP/AVP 0'];

function send(lines: readonly string[], attributes = ''): string {
  const body = lines.map((line) => `      ${line}`).join('\n');
  return `  <send${attributes}>\n    <![CDATA[\n${body}\n\n    ]]>\n  </send>\n`;
}

const RETRANS = ' retrans="500"';
const EMPTY = ['Content-Length: 0'];
const OFFER = ['Content-Type: application/sdp', 'Content-Length: [len]', '', ...SDP];

/** A request of the caller. `branch` is SIPp's keyword for the transaction. */
function ask(
  method: string,
  cseq: string,
  to: string,
  branch: string,
  more: readonly string[],
  attributes = '',
): string {
  return send(
    [
      `${method} sip:callee@[remote_ip]:[remote_port] SIP/2.0`,
      `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=${branch};rport`,
      'From: <sip:caller@example.com>;tag=[call_number]a',
      to,
      'Call-ID: [call_id]',
      `CSeq: ${cseq} ${method}`,
      'Contact: <sip:caller@127.0.0.1:[contact_port];transport=[transport]>',
      'Max-Forwards: 70',
      ...more,
    ],
    attributes,
  );
}

/** An answer to the last request. */
function answer(
  status: string,
  more: readonly string[],
  attributes = '',
  via = '[last_Via:]',
  cseq = '[last_CSeq:]',
): string {
  const lines = [`SIP/2.0 ${status}`, via, '[last_From:]', '[last_To:];tag=[call_number]c', '[last_Call-ID:]', cseq];
  return send([...lines, 'Contact: <sip:callee@127.0.0.1:[contact_port];transport=[transport]>', ...more], attributes);
}

const plainAnswer = (status: string, via = '[last_Via:]', cseq = '[last_CSeq:]'): string =>
  send([`SIP/2.0 ${status}`, via, '[last_From:]', '[last_To:]', '[last_Call-ID:]', cseq, ...EMPTY]);

const recv = (what: string): string => `  <recv ${what} />\n`;
const NEW_TO = 'To: <sip:callee@[remote_ip]:[remote_port]>';
const invite = ask('INVITE', '1', NEW_TO, '[branch]', OFFER, RETRANS);
const ringing = recv('response="100" optional="true"') + recv('response="180" optional="true"');
/** Long enough for the repetitions of whatever the other side has not heard. */
const wait = '  <timewait milliseconds="3000"/>\n';
/** Longer than 64·T1 of the engine, where that is shortened. */
const longWait = '  <timewait milliseconds="5500"/>\n';

/** Receives a request and keeps what its answer repeats. */
const saved = (method: string): string =>
  [
    `<recv request="${method}">`,
    '    <action>',
    `      <ereg regexp="[0-9]+ ${method}" search_in="hdr" header="CSeq:" assign_to="number"/>`,
    '      <ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>',
    '    </action>',
    '  </recv>',
  ].join('\n');

const SAVE_TAG = [
  '<recv request="INVITE">',
  '    <action>',
  '      <ereg regexp=";tag=.*" search_in="hdr" header="From:" assign_to="tag"/>',
  '    </action>',
  '  </recv>',
].join('\n');

/** Callers and callees by what they do; each pair of the same name makes a call. */
export const SCENARIOS = {
  /** INVITE, 180, 200, ACK, and the caller says BYE. */
  'caller-hangs-up': {
    caller:
      invite +
      ringing +
      recv('response="200"') +
      ask('ACK', '1', '[last_To:]', '[branch]', EMPTY) +
      '  <pause milliseconds="100"/>\n' +
      ask('BYE', '2', '[last_To:]', '[branch]', EMPTY, RETRANS) +
      recv('response="200"') +
      wait,
    callee:
      recv('request="INVITE"') +
      answer('180 Ringing', EMPTY) +
      answer('200 OK', OFFER, RETRANS) +
      recv('request="ACK"') +
      recv('request="BYE"') +
      plainAnswer('200 OK') +
      wait,
  },
  /** The callee says BYE. */
  'callee-hangs-up': {
    caller:
      invite +
      ringing +
      recv('response="200"') +
      ask('ACK', '1', '[last_To:]', '[branch]', EMPTY) +
      recv('request="BYE"') +
      plainAnswer('200 OK') +
      wait,
    callee:
      `  ${SAVE_TAG}\n` +
      answer('200 OK', OFFER, RETRANS) +
      recv('request="ACK"') +
      '  <pause milliseconds="100"/>\n' +
      send(
        [
          'BYE sip:engine@127.0.0.1 SIP/2.0',
          'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport',
          'From: <sip:callee@example.com>;tag=[call_number]c',
          'To: <sip:caller@example.com>[$tag]',
          'Call-ID: [call_id]',
          'CSeq: 7 BYE',
          'Max-Forwards: 70',
          ...EMPTY,
        ],
        RETRANS,
      ) +
      recv('response="200"') +
      wait,
  },
  /** The callee refuses: its 486 gets an ACK on each leg. */
  busy: {
    caller:
      invite +
      ringing +
      recv('response="486"') +
      ask('ACK', '1', '[last_To:]', '[branch-3]', EMPTY).replace('[branch-3]', '[branch-4]') +
      wait,
    callee: recv('request="INVITE"') + answer('486 Busy Here', EMPTY, RETRANS) + recv('request="ACK"') + wait,
  },
  /** The caller gives up while it rings: CANCEL, 200, 487, ACK on each leg. */
  cancelled: {
    caller:
      invite +
      recv('response="100" optional="true"') +
      recv('response="180"') +
      '  <pause milliseconds="700"/>\n' +
      ask('CANCEL', '1', NEW_TO, '[branch-4]', EMPTY, RETRANS) +
      recv('response="200" optional="true"') +
      recv('response="487"') +
      ask('ACK', '1', '[last_To:]', '[branch-7]', EMPTY) +
      wait,
    callee:
      `  ${saved('INVITE')}\n` +
      // Nobody repeats a lost 180 for the callee, so it says it three times.
      [1, 2, 3].map(() => answer('180 Ringing', EMPTY)).join('  <pause milliseconds="150"/>\n') +
      recv('request="CANCEL"') +
      answer('200 OK', EMPTY) +
      answer('487 Request Terminated', EMPTY, RETRANS, 'Via:[$via]', 'CSeq: [$number]') +
      recv('request="ACK"') +
      wait,
  },
  /** The callee tries before it answers the BYE: the row of a request that is answered provisionally. */
  'bye-is-tried': {
    caller:
      invite +
      ringing +
      recv('response="200"') +
      ask('ACK', '1', '[last_To:]', '[branch]', EMPTY) +
      '  <pause milliseconds="100"/>\n' +
      ask('BYE', '2', '[last_To:]', '[branch]', EMPTY, RETRANS) +
      recv('response="100" optional="true"') +
      recv('response="200"') +
      longWait,
    callee:
      recv('request="INVITE"') +
      answer('200 OK', OFFER, RETRANS) +
      recv('request="ACK"') +
      `  ${saved('BYE')}\n` +
      plainAnswer('100 Trying') +
      '  <pause milliseconds="300"/>\n' +
      // An ACK may have come once more meanwhile: the answer is to the BYE.
      plainAnswer('200 OK', 'Via:[$via]', 'CSeq: [$number]') +
      longWait,
  },
  /** Nobody answers the INVITE: 408 to the caller when its time is over (timer B). */
  'nobody-answers': {
    caller:
      invite +
      recv('response="100" optional="true"') +
      recv('response="408"') +
      ask('ACK', '1', '[last_To:]', '[branch-3]', EMPTY) +
      wait,
    callee: recv('request="INVITE"') + longWait,
  },
  /** The caller never acknowledges the refusal: it is repeated, and then given up (timers G and H). */
  'refusal-unheard': {
    caller: invite + ringing + recv('response="486"') + longWait,
    callee: recv('request="INVITE"') + answer('486 Busy Here', EMPTY, RETRANS) + recv('request="ACK"') + wait,
  },
} as const;

/** The engine's timers where a scenario is about one that runs out, or about T2: 64·T1 is then four seconds. */
export const TIMERS: Partial<Record<ScenarioName, { readonly t1Ms?: number; readonly t2Ms: number }>> = {
  // SIPp may take the BYE of an unheard answer for a new one, and say nothing: then timer F ends it.
  'bye-is-tried': { t1Ms: 62, t2Ms: 500 },
  'nobody-answers': { t1Ms: 62, t2Ms: 500 },
  'refusal-unheard': { t1Ms: 62, t2Ms: 500 },
};

export type ScenarioName = keyof typeof SCENARIOS;

/** The text of a scenario file. */
export function scenarioText(name: ScenarioName, side: 'caller' | 'callee'): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="${name} ${side}">\n${SCENARIOS[name][side]}</scenario>\n`;
}
