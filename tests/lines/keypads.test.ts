import t from 'tap';
import type { ShowMessage } from '../../config/schema/types.generated.js';
import { Keypad } from '../../gateway/lines/keypads.js';
import { handsetId } from '../../gateway/policy/ids.js';
import { VirtualClock } from './virtual-clock.js';

const h0 = handsetId('h0');

/** One keypad whose handset is lifted, unless the test says otherwise. */
function pad() {
  const clock = new VirtualClock();
  const dialled: string[] = [];
  const shown: ShowMessage[] = [];
  const lifted = { is: true };
  const taken: string[] = [];
  const desk = { takes: false };
  const keypad = new Keypad(h0, {
    clock,
    mayDial: () => lifted.is,
    dial: (_handset, digits) => dialled.push(digits),
    show: (_handset, show) => shown.push(show),
    takesKey: (_handset, key) => desk.takes && taken.push(key) > 0,
    isCode: (_handset, code) => code === '*1',
  });
  const press = (keys: string) => {
    for (const key of keys) {
      clock.go(100);
      keypad.press({ key, at: '2026-01-01T00:00:00Z', atNs: `${clock.monotonicNs()}` });
    }
  };
  return { clock, dialled, shown, lifted, keypad, press, taken, desk };
}

t.test('keys are a number when # says so', async (t) => {
  const p = pad();
  p.press('0612#');
  t.same(p.dialled, ['0612']);
  t.same(
    p.shown.map(({ text }) => text),
    ['0', '06', '061', '0612'],
    'and are shown as they come',
  );
  p.clock.go(10_000);
  t.same(p.dialled, ['0612'], 'once');
});

t.test('keys are a number when no more come', async (t) => {
  const p = pad();
  p.press('07');
  p.clock.go(3_999);
  t.same(p.dialled, []);
  p.clock.go(1);
  t.same(p.dialled, ['07']);
});

t.test('* begins anew, and so does putting the handset down', async (t) => {
  const p = pad();
  p.press('99*01#');
  t.same(p.dialled, ['01']);
  p.keypad.over();
  p.press('55');
  p.keypad.clear();
  p.clock.go(10_000);
  t.same(p.dialled, ['01']);
  t.same(p.shown.at(-1), { text: '' });
});

t.test('keys dial nothing more while what was keyed is a call, and again when it is over or put down', async (t) => {
  const p = pad();
  p.press('0612#');
  p.press('34#');
  t.same(p.dialled, ['0612']);
  t.same(p.shown.at(-1), { text: '0612' }, 'nor do they show');
  p.keypad.over();
  p.press('34#');
  t.same(p.dialled, ['0612', '34']);
  p.keypad.clear();
  p.press('56#');
  t.same(p.dialled, ['0612', '34', '56']);
});

t.test('a key that comes twice is one key, and an older one is none', async (t) => {
  const p = pad();
  const key = (of: string, atNs: string) => p.keypad.press({ key: of, at: '2026-01-01T00:00:00Z', atNs });
  key('1', '500');
  key('1', '500');
  key('9', '400');
  key('2', '501');
  p.clock.go(4_000);
  t.same(p.dialled, ['12']);
});

t.test('keys of a handset that lies on its hook dial nothing', async (t) => {
  const p = pad();
  p.lifted.is = false;
  p.press('0612#');
  t.same([p.dialled, p.shown], [[], []]);
  p.lifted.is = true;
  p.press('06');
  p.lifted.is = false;
  p.clock.go(4_000);
  t.same(p.dialled, [], 'nor when it was put down before the pause was over');
});

t.test('a child that leans on the keys dials no more than a number is long', async (t) => {
  const p = pad();
  p.press(`${'1'.repeat(200)}#`);
  t.same(p.dialled, ['1'.repeat(24)]);
});

t.test('a code that begins with * is dialled with it, and a number that was begun anew is not', async (t) => {
  const p = pad();
  p.press('*1#');
  t.same(p.dialled, ['*1']);
  p.keypad.over();
  p.press('9*1');
  p.clock.go(4_000);
  t.same(p.dialled.slice(1), ['*1'], 'by a pause too');
  p.keypad.over();
  p.press('*12#');
  p.keypad.over();
  p.press('1#');
  t.same(p.dialled.slice(2), ['12', '1']);
});

t.test('keys of a handset at the work desk go there: they dial nothing, and none is shown', async (t) => {
  const p = pad();
  p.press('*1#');
  const { length } = p.shown;
  p.desk.takes = true;
  p.press('3051#4817#*0');
  p.clock.go(10_000);
  t.equal(p.taken.join(''), '3051#4817#*0');
  t.equal(p.shown.length, length, 'a PIN least of all');
  t.same(p.dialled, ['*1']);
});
