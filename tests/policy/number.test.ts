import fc from 'fast-check';
import t from 'tap';
import { NumberReader, plainDigits } from '../../gateway/policy/number.js';

const GB = new NumberReader('GB');
const WHOLE = '+442079460001';

t.test('one number keyed in any of its forms is one number', async (t) => {
  const forms = [
    '+442079460001',
    '00442079460001',
    '02079460001',
    '020 7946 0001',
    '(020) 7946-0001',
    '020.7946.0001',
    'tel:+442079460001',
    'TEL:+44-20-7946-0001',
    'sip:02079460001@10.20.0.1',
    'sips:+442079460001@balise;user=phone',
    'sip:%2B442079460001@balise',
    '+442079460001;tag=1',
    ' 02079460001 ',
    '０２０７９４６０００１',
    '٠٢٠٧٩٤٦٠٠٠١',
    '۰۲۰۷۹۴۶۰۰۰۱',
  ];
  for (const form of forms) t.match(GB.read(form), { ok: true, number: WHOLE, country: 'GB' }, form);
});

t.test('what is no plain number is malformed: it is never guessed at', async (t) => {
  const forms = [
    '',
    '0',
    'alice',
    'sip:alice@balise',
    '020794600a1',
    '*3102079460001',
    '#02079460001',
    '02079460001,99',
    '02079460001p99',
    '02079460001;ext=99',
    '02079460001;isub=1',
    '02079460001;postd=99',
    '+442079460001;phone-context=+1',
    'sip:02079460001:secret@balise',
    '+0442079460001',
    '++442079460001',
    '44+2079460001',
    '+44020794600010000',
    '+442079460001999',
    '+4402079460001',
    '+999123456789',
    '%',
    '%ff%fe',
    '020\u00007946',
    '1'.repeat(21),
    '1'.repeat(5_000),
  ];
  for (const form of forms)
    t.match(GB.read(form), { ok: false, class: 'malformed' }, JSON.stringify(form.slice(0, 40)));
});

t.test('classes that nobody may reach are told apart, in every form', async (t) => {
  const classes = [
    ['112', 'emergency'],
    ['999', 'emergency'],
    ['sip:112@balise', 'emergency'],
    ['１１２', 'emergency'],
    ['11', 'short-code'],
    ['3270', 'short-code'],
    ['150000', 'short-code'],
    ['+881612345678', 'satellite'],
    ['00870773111632', 'satellite'],
    ['+882160000000', 'satellite'],
    ['+878101234567890', 'satellite'],
    ['09098790001', 'premium'],
    ['+449098790001', 'premium'],
    ['+33810123456', 'shared-cost'],
    ['+443001231234', 'shared-cost'],
  ] as const;
  for (const [form, is] of classes) t.match(GB.read(form), { ok: false, class: is }, form);
});

t.test('a geographic number is told from one that may be anywhere', async (t) => {
  t.match(GB.read('+442079460001'), { ok: true, mobile: false });
  t.match(GB.read('+447700900123'), { ok: true, mobile: true });
});

t.test('the country is that of the number and not that of the site', async (t) => {
  for (const [number, country] of [
    ['+12125550100', 'US'],
    ['+14165550100', 'CA'],
    ['+17095550100', 'CA'],
    ['+33199000001', 'FR'],
    ['+4930231250', 'DE'],
    ['+905551234567', 'TR'],
    ['+355691234567', 'AL'],
    ['+79991234567', 'RU'],
    ['+77011234567', 'KZ'],
    ['+447797712345', 'JE'],
  ] as const)
    t.match(GB.read(number), { ok: true, number, country }, number);
});

t.test('a keyed number is read in the country of the site', async (t) => {
  t.match(new NumberReader('BE').read('023456789'), { ok: true, number: '+3223456789', country: 'BE' });
  t.match(new NumberReader('FR').read('0199000001'), { ok: true, number: '+33199000001', country: 'FR' });
});

t.test(
  'no text at all makes the reader throw, and what it accepts is E.164 that it reads the same again',
  async (t) => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ unit: fc.constantFrom(...'+0123456789*#;=@:%. ()-/abcpext٣５'), maxLength: 40 }),
      fc.integer({ min: 0, max: 10 ** 13 }).map((n) => `0${n}`),
      fc.integer({ min: 10 ** 9, max: 10 ** 13 }).map((n) => `+${n}`),
    );
    fc.assert(
      fc.property(text, (form) => {
        const read = new NumberReader('BE').read(form);
        if (!read.ok) return;
        t.match(read.number, /^\+[1-9][0-9]{2,14}$/);
        const again = new NumberReader('GB').read(read.number);
        if (!again.ok || again.number !== read.number || again.country !== read.country) throw new Error(form);
      }),
      { numRuns: 800 },
    );
  },
);

t.test('a number remembered is a number read: the memory changes no answer, however full', async (t) => {
  const reader = new NumberReader('GB', 100);
  const first = reader.read(WHOLE);
  for (let i = 0; i < 1_000; i += 1) reader.read(`+4420${String(i).padStart(8, '0')}`);
  t.same(reader.read(WHOLE), first);
});

t.test('digits of another script and harmless marks are plain digits', async (t) => {
  t.equal(plainDigits('tel:+32 (0)2-345'), '+3202345');
  t.equal(plainDigits('sip:1%32@x'), '12');
  t.equal(plainDigits('12;user=phone'), '12');
  t.equal(plainDigits('12;ext=3'), undefined);
});
