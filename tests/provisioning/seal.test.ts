import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { armed, EnrolmentBook } from '../../gateway/provisioning/enrolment-book.js';
import { Seal } from '../../gateway/provisioning/seal.js';
import { newSecret, newToken } from '../../gateway/provisioning/secrets.js';

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'balise-seal-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

t.test('what is sealed opens with its key and its context alone, and nothing of it shows', async (t) => {
  const [seal, other] = [Seal.of(folderOf(t)), Seal.of(folderOf(t))];
  fc.assert(
    fc.property(fc.string({ minLength: 9 }), fc.string(), fc.string(), (text, context, elsewhere) => {
      const sealed = seal.seal(text, context);
      if (seal.open(sealed, context) !== text || sealed.includes(text)) return false;
      const cannot = (open: () => string): boolean => {
        try {
          open();
          return false;
        } catch (fault) {
          return (fault as Error).name === 'SealFault';
        }
      };
      return (
        cannot(() => other.open(sealed, context)) &&
        (elsewhere === context || cannot(() => seal.open(sealed, elsewhere))) &&
        cannot(() => seal.open(`${sealed.slice(0, -1)}${sealed.endsWith('A') ? 'B' : 'A'}${'A'}`, context)) &&
        cannot(() => seal.open('', context))
      );
    }),
    { numRuns: 50 },
  );
});

t.test('the key is made once, is its owner’s alone, and is refused when others may read it', async (t) => {
  const folder = folderOf(t);
  const sealed = Seal.of(folder).seal('secret', 'here');
  const file = join(folder, 'provisioning.key');
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(Seal.of(folder).open(sealed, 'here'), 'secret');
  chmodSync(file, 0o644);
  t.throws(() => Seal.of(folder), /may be read by others: chmod 600/);
  chmodSync(file, 0o600);
  writeFileSync(file, 'short');
  t.throws(() => Seal.of(folder), /is no key/);
});

t.test('an enrolment on disk shows no secret, and cannot be prolonged or moved to another device', async (t) => {
  const folder = folderOf(t);
  const book = new EnrolmentBook(folder);
  const enrolment = armed('c074ad000201', ['a-101'], 1_800_000_000_000, undefined);
  book.write(enrolment);
  t.same(book.read('c074ad000201'), enrolment);
  const file = join(folder, 'phones', 'c074ad000201.enrolment.json');
  const text = readFileSync(file, 'utf8');
  for (const secret of [enrolment.token, enrolment.adminPassword, ...Object.values(enrolment.secrets)]) {
    t.notOk(text.includes(secret));
  }
  t.equal(statSync(file).mode & 0o777, 0o600);
  writeFileSync(file, text.replace('1800000000000', '1900000000000'));
  t.throws(() => book.read('c074ad000201'), /changed since; enrol the device anew/);
  writeFileSync(join(folder, 'phones', 'c074ad000202.enrolment.json'), text);
  t.throws(() => book.read('c074ad000202'), /changed since/);
  t.equal(book.read('c074ad000203'), undefined);
});

t.test('arming again keeps what the device has, unless it is to be fresh', async (t) => {
  const first = armed('c074ad000201', ['a-101', 'a-102'], 1, undefined);
  const again = armed('c074ad000201', ['a-101', 'a-102', 'a-103'], 2, first);
  t.not(again.generation, first.generation);
  t.match(again, { token: first.token, adminPassword: first.adminPassword, secrets: first.secrets, armedUntilMs: 2 });
  t.ok(again.secrets['a-103']);
  const renewed = armed('c074ad000201', ['a-101', 'a-102'], 3, first, { secrets: ['a-101'], token: true });
  t.not(renewed.token, first.token);
  t.not(renewed.secrets['a-101'], first.secrets['a-101']);
  t.equal(renewed.secrets['a-102'], first.secrets['a-102']);
  t.not(renewed.adminPassword, first.adminPassword);
});

t.test('secrets and tokens are never drawn twice, and hold what makers insist on', async (t) => {
  const drawn = Array.from({ length: 500 }, newSecret);
  t.equal(new Set(drawn).size, 500);
  for (const secret of drawn) t.match(secret, /^(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9]{24}$/);
  t.equal(new Set(Array.from({ length: 500 }, newToken)).size, 500);
});
