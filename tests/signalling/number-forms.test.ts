/**
 * The forms in which a number can be dialled: all that are that number reach the carrier in one form, all others are refused
 * with `dial.malformed`, and none is passed on as it came.
 */
import t from 'tap';
import { openHouse } from './house.js';
import { headerOf, statusOf } from './phone.js';

const E164 = '+442079460001';
/** The site of the tests is in the United Kingdom. */
const SAME: readonly (readonly [string, string])[] = [
  ['international with a plus', 'sip:+442079460001@HOST'],
  ['international with 00', 'sip:00442079460001@HOST'],
  ['national', 'sip:02079460001@HOST'],
  ['tel with separators', 'tel:+44-20-7946-0001'],
  ['tel with dots and brackets', 'tel:+44.(20).7946.0001'],
  ['with user=phone', 'sip:+442079460001@HOST;user=phone'],
  ['with separators in a SIP URI', 'sip:+44-20-7946-0001@HOST'],
  ['an escaped plus', 'sip:%2B442079460001@HOST'],
  ['all of it escaped', 'sip:%2B%34%34%32%30%37%39%34%36%30%30%30%31@HOST'],
  ['full-width digits', `sip:${escaped('０２０７９４６０００１')}@HOST`],
  ['Arabic-Indic digits', `sip:+${escaped('٤٤٢٠٧٩٤٦٠٠٠١')}@HOST`],
  ['Eastern Arabic-Indic digits', `sip:+${escaped('۴۴۲۰۷۹۴۶۰۰۰۱')}@HOST`],
];

const MALFORMED: readonly (readonly [string, string])[] = [
  ['a phone-context', 'sip:2079460001;phone-context=+44@HOST;user=phone'],
  ['a phone-context in a tel URI', 'tel:79460001;phone-context=+4420'],
  ['a phone-context on a whole number', 'tel:+442079460001;phone-context=example.com'],
  ['an ISDN sub-address', 'tel:+442079460001;isub=1234'],
  ['an extension', 'tel:+442079460001;ext=99'],
  ['an extension in a SIP URI', 'sip:+442079460001;ext=99@HOST'],
  ['digits after the answer', 'tel:+442079460001;postd=99'],
  ['an escaped extension', 'sip:+442079460001%3Bext=99@HOST'],
  ['a caller-identity prefix *31#', 'sip:*31#+442079460001@HOST'.replace('#', '%23')],
  ['a caller-identity prefix #31#', 'sip:%2331%23+442079460001@HOST'],
  ['a caller-identity prefix *67', 'sip:*6702079460001@HOST'],
  ['a pause with digits behind it', 'sip:+442079460001,99@HOST'],
  ['a pause with digits behind it, by the letter', 'sip:+442079460001p99@HOST'],
  ['a wait with digits behind it', 'sip:+442079460001w99@HOST'],
  ['a trailing hash', 'sip:+442079460001%23@HOST'],
  ['a password', 'sip:+442079460001:99@HOST'],
  ['zeros to spare before the country code', 'sip:+0442079460001@HOST'],
  ['zeros to spare within the number', 'sip:+4402079460001@HOST'],
  ['zeros to spare before 00', 'sip:000442079460001@HOST'],
  ['digits to spare behind the number', 'sip:+44207946000199@HOST'],
  ['two pluses', 'sip:++442079460001@HOST'],
  ['a plus within', 'sip:44+2079460001@HOST'],
  ['letters of the keypad', 'sip:+4420SANCTION@HOST'],
  ['an escape of an escape', 'sip:%252B442079460001@HOST'],
  ['an escape that is none', 'sip:%ZZ442079460001@HOST'],
  ['an escaped at sign', 'sip:+442079460001%40evil.example@HOST'],
  ['an escaped line end', 'sip:+442079460001%0d%0aX:%201@HOST'],
  ['an escaped null', 'sip:+442079460001%00@HOST'],
  ['digits that turn the reading direction', `sip:+442079460001${escaped('\u202e')}@HOST`],
  ['a space that nobody sees', `sip:+44${escaped('\u200b')}2079460001@HOST`],
  ['no user', 'sip:HOST'],
  ['a very long number', `sip:+44${'2'.repeat(200)}@HOST`],
];

/** Refused by their class, whatever form they have and whatever a list says. */
const BY_CLASS: readonly (readonly [string, string])[] = [
  ['an emergency number', 'sip:112@HOST'],
  ['an emergency number in full-width digits', `sip:${escaped('１１２')}@HOST`],
  ['an emergency number as a tel URI', 'tel:999;phone-context=+44'],
  ['a premium number', 'sip:+449098790001@HOST'],
  ['a satellite telephone', 'sip:+881612345678@HOST'],
  ['a satellite telephone by 00', 'sip:00870773123456@HOST'],
  ['a global network', 'sip:+88213123456@HOST'],
  ['a short code', 'sip:1571@HOST'],
];

function escaped(text: string): string {
  return [...Buffer.from(text, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
}

// One house for all: what is refused leaves nothing behind.
const house = await openHouse(t);
const phone = await house.phone();

for (const [form, uri] of SAME) {
  t.test(`dialled, and in one form: ${form}`, async (t) => {
    const near = await phone.dial(uri.replace('HOST', phone.at));
    const far = await house.carriers[0].invited();
    t.equal(far.invite.split(' ')[1], `sip:${E164}@${far.peer.address}:${far.peer.port}`);
    t.equal(headerOf(far.invite, 'To'), `<sip:${E164}@${far.peer.address}:${far.peer.port}>`);
    far.say('486 Busy Here');
    t.equal(statusOf(await near.final()), 486);
    await house.ended();
  });
}

for (const [kind, forms, rules] of [
  ['malformed', MALFORMED, ['dial.malformed']],
  ['of a class that is never sanctioned', BY_CLASS, ['number.class', 'dial.malformed']],
] as const) {
  for (const [form, uri] of forms) {
    t.test(`refused, and nobody is dialled, as ${kind}: ${form}`, async (t) => {
      const before = house.carriers[0].invites;
      const refused = await (await phone.dial(uri.replace('HOST', phone.at))).final();
      const { cause, rule } = await house.ended();
      t.equal(cause, 'refused');
      t.ok((rules as readonly string[]).includes(rule ?? ''), String(rule));
      t.equal(statusOf(refused), rule === 'dial.malformed' ? 484 : 403);
      t.match(headerOf(refused, 'Warning'), String(rule));
      t.equal(house.carriers[0].invites + house.carriers[1].invites, before);
    });
  }
}

for (const [form, uri] of [
  ['nobody', 'sip:@HOST'],
  ['full-width digits that nobody escaped', 'sip:＋４４２０７９４６０００１@HOST'],
] as const) {
  t.test(`refused by the engine, judged by nobody and dialled by nobody: ${form}`, async (t) => {
    const before = [house.carriers[0].invites + house.carriers[1].invites, house.records.length];
    t.equal(statusOf(await phone.ask('INVITE', { uri: uri.replace('HOST', phone.at) })), 400);
    t.same([house.carriers[0].invites + house.carriers[1].invites, house.records.length], before);
  });
}
