/** A bounded number of mutated messages, each run with seeds of its own; `npm run fuzz` goes on for as long as it is let. */
import fc from 'fast-check';
import t from 'tap';
import { checkMandatory } from '../../../gateway/sip-engine/message/check.js';
import { DEFAULT_MESSAGE_LIMITS } from '../../../gateway/sip-engine/message/limits.js';
import { isFault, parseMessage } from '../../../gateway/sip-engine/message/parse.js';
import { printMessage } from '../../../gateway/sip-engine/message/print.js';
import { request } from '../rig.js';
import { answerTo } from '../udp-peer.js';
import { corpus, fuzz } from './fuzzing.js';
import { Dice, mutated } from './mutator.js';

const { messages } = corpus();

t.test('whatever is parsed is printed as a message that says the same', (test) => {
  test.ok(messages.length > 40, `${messages.length} recorded messages`);
  fc.assert(
    fc.property(fc.constantFrom(...messages), fc.integer(), (text, seed) => {
      const message = parseMessage(mutated(text, new Dice(seed), messages), DEFAULT_MESSAGE_LIMITS);
      if (isFault(message) || checkMandatory(message) !== undefined) return;
      const printed = printMessage(message);
      const again = parseMessage(printed, { messageBytes: 1_000_000, headers: 1_000, headerBytes: 100_000 });
      if (isFault(again)) throw new Error(`printed what cannot be read: ${again.why}`);
      if (printMessage(again) !== printed) throw new Error('read again, it says something else');
      if (/[^\r]\n|\r[^\n]/.test(printed.slice(0, printed.length - message.body.length))) {
        throw new Error('a line end in the middle of a line');
      }
      for (const name of ['from', 'to', 'call-id', 'cseq', 'contact']) {
        if (again.get(name) !== message.get(name)) throw new Error(`another ${name}`);
      }
    }),
    { numRuns: 3_000 },
  );
  test.end();
});

t.test('arbitrary bytes are parsed without a throw', (test) => {
  const bytes = fc.uint8Array({ maxLength: 2_000 }).map((data) => Buffer.from(data).toString('latin1'));
  const headed = bytes.map((text) => `OPTIONS sip:a@b SIP/2.0\r\n${text}`);
  fc.assert(
    fc.property(fc.oneof(bytes, headed), (text) => {
      const message = parseMessage(text, DEFAULT_MESSAGE_LIMITS);
      if (!isFault(message)) checkMandatory(message);
    }),
    { numRuns: 2_000 },
  );
  test.end();
});

t.test('a status is three digits, and no other way of writing a number', (test) => {
  const answer = (status: string) =>
    parseMessage(answerTo(request('OPTIONS', { port: 1 }, 2), status), DEFAULT_MESSAGE_LIMITS);
  test.notOk(isFault(answer('202 Accepted')));
  for (const status of [
    '2e2 OK',
    '0x2 OK',
    '+20 OK',
    '2.0 OK',
    ' 20 OK',
    '20',
    '2000 OK',
    '099 OK',
    '700 OK',
    '٢٠٠ OK',
  ])
    test.match(answer(status), { fault: 'start-line' }, status);
  test.end();
});

t.test('an engine and its application stand four thousand mutated messages, and serve on', async (test) => {
  const seed = (Math.random() * 2 ** 32) >>> 0;
  test.comment(`seed ${seed}: npm run fuzz -- --seed ${seed}`);
  const { sent, slowestLookMs, status } = await fuzz({ seed, messages: 4_000 });
  test.comment(
    `${sent} messages, ${status.dialogsBegun} dialogs, ${status.parseErrors} parse errors, slowest look ${slowestLookMs.toFixed(0)} ms`,
  );
  test.ok((status.dialogsBegun ?? 0) > 10, 'calls came about among them');
  test.ok((status.serverTransactions ?? 0) <= 2_500, `${status.serverTransactions} transactions are open`);
});

t.test(
  'what the fuzzing found: white space in a Contact makes no target, another version in a response is none',
  (test) => {
    const invite = request('INVITE', { port: 5070 }, 5060).replace('Contact: <sip:caller@', 'Contact: <sip:caller\t@');
    const tabbed = parseMessage(invite, DEFAULT_MESSAGE_LIMITS);
    test.match(isFault(tabbed) ? tabbed : checkMandatory(tabbed), { why: 'malformed Contact', status: 400 });
    const ringing = answerTo(request('INVITE', { port: 5070 }, 5060), '180 Ringing');
    const future = parseMessage(ringing.replace('SIP/2.0', 'SIP/1e9.0'), DEFAULT_MESSAGE_LIMITS);
    test.match(isFault(future) ? future : checkMandatory(future), { fault: 'version' });
    test.ok(isFault(parseMessage(ringing.replace('Ringing', 'Ring\ring'), DEFAULT_MESSAGE_LIMITS)));
    test.end();
  },
);
