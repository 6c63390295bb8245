import fc from 'fast-check';
import t from 'tap';
import { formatFaults } from '../../gateway/config/fault.js';
import { pointerStep, pointerSteps, walkJson } from '../../gateway/config/json-text.js';
import type { FileName } from '../../gateway/config/site-check.js';
import { type Json, SiteFolder } from './site-folder.js';

const FILES: readonly FileName[] = ['site', 'wings', 'handsets', 'profiles', 'lists', 'trunks', 'boards', 'uplink'];
/** Settings that take any text, and one that may be empty. */
const FREE_TEXT = ['/dataFolder'];
const MAY_BE_EMPTY = ['/3/digitsAllowed'];

const folder = await SiteFolder.make();
t.teardown(() => folder.remove());
const texts = Object.fromEntries(
  await Promise.all(FILES.map(async (name) => [name, await folder.text(`${name}.json`)])),
);

interface Field {
  readonly file: FileName;
  readonly pointer: string;
}

const fields: readonly Field[] = FILES.flatMap((file) =>
  [...walkJson(texts[file]).places.keys()].map((pointer) => ({ file, pointer })),
);

function at(root: Json, steps: readonly string[]): Json {
  return steps.reduce((node, step) => node?.[step], root);
}

/** The file's text with the value at a pointer changed. */
function changed({ file, pointer }: Field, change: (parent: Json, name: string, value: Json) => void): string {
  const root = { whole: JSON.parse(texts[file]) };
  const steps = ['whole', ...pointerSteps(pointer)];
  const name = steps.pop() ?? '';
  const parent = at(root, steps);
  change(parent, name, parent[name]);
  return JSON.stringify(root.whole) ?? '';
}

/** A value that the field cannot have meant. */
function wrong(value: Json): Json[] {
  const other: Json[] = [{ '£': 1 }];
  if (typeof value === 'string') other.push('£ \u0000', 17, null, [], '');
  if (typeof value === 'number') other.push(-1.5, String(value), null, 1e300);
  if (typeof value === 'boolean') other.push('yes', 0, null);
  if (Array.isArray(value)) other.push('£', 17, null, [null]);
  if (typeof value === 'object') other.push('£', 17);
  return other;
}

async function faultsOf(file: FileName, text: string) {
  await folder.write(`${file}.json`, text);
  try {
    return await folder.fault();
  } finally {
    await folder.write(`${file}.json`, texts[file]);
  }
}

t.test('every value of the demo site, replaced by a wrong one, is told with file and pointer', async (t) => {
  let told = 0;
  for (const field of fields) {
    const value = at(JSON.parse(texts[field.file]), pointerSteps(field.pointer));
    for (const replacement of wrong(value)) {
      if (FREE_TEXT.includes(field.pointer) && typeof replacement === 'string' && replacement !== '') continue;
      if (MAY_BE_EMPTY.includes(field.pointer) && replacement === '') continue;
      const text = changed(field, (parent, name) => {
        parent[name] = replacement;
      });
      const fault = await faultsOf(field.file, text);
      const here = fault?.faults.some(
        ({ file, pointer }) => file === `${field.file}.json` && `${pointer}/`.startsWith(`${field.pointer}/`),
      );
      if (here !== true) t.fail(`${field.file}${field.pointer} := ${JSON.stringify(replacement)}`, { fault });
      told += 1;
    }
  }
  t.ok(told > 1_000, `${told} corruptions`);
});

t.test('every setting of the demo site, misspelt, is told; left out, it is told or has a default', async (t) => {
  for (const field of fields) {
    const steps = pointerSteps(field.pointer);
    if (steps.length === 0 || /^[0-9]+$/.test(steps.at(-1) ?? '')) continue;
    const without = changed(field, (parent, name) => {
      delete parent[name];
    });
    await faultsOf(field.file, without);
    if (field.file === 'lists') continue;
    const text = changed(field, (parent, name, value) => {
      delete parent[name];
      parent[`${name}x`] = value;
    });
    const fault = await faultsOf(field.file, text);
    const here = fault?.faults.some(({ pointer }) => [field.pointer, `${field.pointer}x`].includes(pointer));
    if (here !== true) t.fail(`${field.file}${field.pointer}`, { fault });
  }
  t.pass();
});

t.test('a file cut anywhere, or with any character changed, is told or loads; it never crashes', async (t) => {
  const slip = fc.record({ file: fc.constantFrom(...FILES), where: fc.double({ min: 0, max: 1, noNaN: true }) });
  const character = fc.oneof(
    fc.constantFrom(...'{}[]",:\\0-.et \n'),
    fc.string({ minLength: 0, maxLength: 2, unit: 'binary' }),
  );
  await fc.assert(
    fc.asyncProperty(slip, character, fc.boolean(), async ({ file, where }, put, cut) => {
      const text: string = texts[file];
      const offset = Math.floor(where * text.length);
      const broken = cut ? text.slice(0, offset) : text.slice(0, offset) + put + text.slice(offset + 1);
      const fault = await faultsOf(file, broken);
      if (fault === undefined) return true;
      formatFaults(fault);
      return fault.faults.every((one) => one.file !== '' && one.expected !== '' && one.hint !== '');
    }),
    { numRuns: 300 },
  );
  t.pass();
});

t.test('any JSON value in the place of any file is told or loads', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...FILES), fc.json(), async (file, text) => {
      const fault = await faultsOf(file, text);
      return fault === undefined || fault.faults.length > 0;
    }),
  );
  t.pass();
});

t.test('no fault quotes a secret', async (t) => {
  const secrets = ['hunter2hunter2', 'S3cret'.repeat(8)];
  for (const field of fields) {
    for (const secret of secrets) {
      const name = pointerSteps(field.pointer).at(-1) ?? '';
      const into = ['MD5', 'SHA-256', 'ha1', 'tokenKey'].includes(name);
      const text = changed(field, (parent, step, value) => {
        if (into) parent[step] = secret;
        else if (typeof value === 'object' && value !== null && !Array.isArray(value)) value.password = secret;
      });
      const fault = await faultsOf(field.file, text);
      if (fault !== undefined && formatFaults(fault).includes(secret)) t.fail(field.file + field.pointer);
    }
  }
  t.pass();
});

t.test('a pointer step survives names with slashes and tildes', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.string()), (names) => {
      const back = pointerSteps(names.map(pointerStep).join(''));
      return JSON.stringify(back) === JSON.stringify(names);
    }),
  );
  t.pass();
});
