/**
 * No message costs more time than its length asks for. Here the time is the claim: a parser that tries every way to split a
 * run of spaces takes seconds for one of these, and hundreds of them must be done within one.
 */
import t from 'tap';
import { DEFAULT_LIMITS } from '../../../gateway/sip-engine/config.js';
import { AdmissionDesk } from '../../../gateway/sip-engine/core/admission.js';
import { newCounters } from '../../../gateway/sip-engine/counters.js';
import { checkMandatory } from '../../../gateway/sip-engine/message/check.js';
import { DEFAULT_MESSAGE_LIMITS } from '../../../gateway/sip-engine/message/limits.js';
import { isFault, parseMessage } from '../../../gateway/sip-engine/message/parse.js';
import { parseVia, stampVia } from '../../../gateway/sip-engine/message/via.js';
import type { ServerTransaction } from '../../../gateway/sip-engine/transaction/server-transaction.js';
import { TimerQueues } from '../../../gateway/sip-engine/transaction/timers.js';
import { TcpFramer } from '../../../gateway/sip-engine/transport/tcp-framer.js';
import { request } from '../rig.js';
import { VirtualClock } from '../virtual-clock.js';

const LONG = 8_000;
const run = (text: string): string => text.repeat(Math.ceil(LONG / text.length));

const VALUES: readonly (readonly [string, string])[] = [
  ['spaces', `a${run(' ')}b`],
  ['tabs and spaces', `a${run(' \t')}b`],
  ['semicolons', run(';')],
  ['semicolons and spaces', run('; ')],
  ['commas', run(',')],
  ['quotes', run('"')],
  ['escaped quotes', `"${run('\\"')}`],
  ['opening brackets', run('<')],
  ['closing brackets', run('>')],
  ['brackets', run('<>')],
  ['equals signs', `<sip:a@b>;${run('=')}`],
  ['at signs', `sip:${run('@')}`],
  ['colons', `sip:${run(':')}`],
  ['slashes', run('SIP/')],
  ['digits', run('1')],
  ['addresses', run('<sip:a@b>,')],
  ['parameters', `<sip:a@b>${run(';a=b')}`],
];
const HEADERS = [
  'Via',
  'From',
  'To',
  'Contact',
  'Call-ID',
  'CSeq',
  'Route',
  'Record-Route',
  'Require',
  'Content-Length',
];

t.test('a header of eight thousand of anything is judged as fast as any other of its length', (test) => {
  const plain = request('INVITE', { port: 5070 }, 5060);
  for (const [name, value] of VALUES) {
    const fromMs = performance.now();
    for (const header of HEADERS) {
      for (const made of [value, `${value}\r\n ${value.slice(0, 50)}`]) {
        const line = new RegExp(`^${header}: [^\\r]*`, 'm');
        const text = line.test(plain)
          ? plain.replace(line, () => `${header}: ${made}`)
          : plain.replace('\r\n\r\n', () => `\r\n${header}: ${made}\r\n\r\n`);
        for (let time = 0; time < 5; time++) {
          const message = parseMessage(text, DEFAULT_MESSAGE_LIMITS);
          if (!isFault(message)) checkMandatory(message);
        }
      }
    }
    const via = parseVia(`SIP/2.0/UDP 127.0.0.1${value}`) ?? parseVia('SIP/2.0/UDP 127.0.0.1');
    if (via !== undefined) stampVia(`SIP/2.0/UDP 127.0.0.1${value}`, via, '127.0.0.2', 5060);
    const tookMs = performance.now() - fromMs;
    test.ok(tookMs < 1_000, `${name}: 100 messages in ${tookMs.toFixed(1)} ms`);
  }
  test.end();
});

t.test('a stream of sixty thousand of anything is cut as fast as any other', (test) => {
  for (const [name, value] of VALUES) {
    const fromMs = performance.now();
    for (const header of ['l', 'Content-Length', 'c']) {
      for (let time = 0; time < 10; time++) {
        new TcpFramer(DEFAULT_MESSAGE_LIMITS).take(`X y z\r\n${header}:${value.repeat(7)}x\r\n\r\n`);
      }
    }
    const tookMs = performance.now() - fromMs;
    test.ok(tookMs < 1_000, `${name}: 30 heads in ${tookMs.toFixed(1)} ms`);
  }
  test.end();
});

t.test('a flood from made-up addresses costs no more when ten thousand others are in use', (test) => {
  const desk = new AdmissionDesk(DEFAULT_LIMITS, newCounters(), new TimerQueues(new VirtualClock()));
  const address = (at: number): string => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
  for (let at = 0; at < 10_000; at++) {
    desk.admit('OPTIONS', address(at));
    desk.finished({ flow: { address: address(at) }, state: 'completed' } as unknown as ServerTransaction);
  }
  const fromMs = performance.now();
  for (let at = 10_000; at < 60_000; at++) desk.mayAnswer(address(at));
  const tookMs = performance.now() - fromMs;
  test.ok(tookMs < 1_000, `50,000 datagrams in ${tookMs.toFixed(1)} ms`);
  test.end();
});
