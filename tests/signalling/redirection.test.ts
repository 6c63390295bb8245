/** Whether a carrier's answer comes from the number that was dialled, as a pure judgement. */
import fc from 'fast-check';
import t from 'tap';
import { showsRedirection } from '../../gateway/signalling/redirection.js';

const message = (headers: Readonly<Record<string, string>>, status = 180) =>
  ({
    status,
    has: (name: string) => name in headers,
    get: (name: string) => headers[name] ?? '',
  }) as unknown as Parameters<typeof showsRedirection>[0];

t.test('a number is the same in its national form, and no other number is taken for it', (t) => {
  const number = '+442079460001';
  const entry = (uri: string) => showsRedirection(message({ 'history-info': `<${uri}>;index=1` }), number);
  for (const same of [
    'sip:+442079460001@x',
    'sip:00442079460001@x',
    'sip:02079460001@x',
    'tel:+44-20-7946-0001',
    'sips:442079460001@y;user=phone',
  ])
    t.notOk(entry(same), same);
  for (const other of [
    'sip:+442079460002@x',
    'sip:+3225550001@x',
    'sip:0001@x',
    'sip:anonymous@x',
    'sip:x',
    'tel:1',
    'mailto:a@b',
    '',
  ])
    t.ok(entry(other), other);
  fc.assert(
    fc.property(
      fc.stringMatching(/^[0-9]{6,15}$/),
      (digits) => entry(`sip:+${digits}@x`) !== number.endsWith(digits.replace(/^0*/, '')) || /^0*$/.test(digits),
    ),
  );
  t.end();
});
