import fc from 'fast-check';
import t from 'tap';
import { placeOf, pointerSteps, walkJson } from '../../gateway/config/json-text.js';

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const value = fc.jsonValue({ depthSize: 'medium' });
const layout = fc.constantFrom(undefined, 1, '\t');

t.test('the walk accepts a text exactly when JSON.parse does', async (t) => {
  const broken = fc.tuple(value, layout, fc.nat(), fc.constantFrom(...'{}[]",:\\0-.e1 \n\u0001'), fc.boolean());
  fc.assert(
    fc.property(broken, ([json, indent, where, put, insert]) => {
      const text = JSON.stringify(json, null, indent);
      const at = where % (text.length + 1);
      const changed = text.slice(0, at) + put + text.slice(insert ? at : at + 1);
      return (walkJson(changed).mistake === undefined) === parses(changed) && walkJson(text).mistake === undefined;
    }),
    { numRuns: 2_000 },
  );
  t.pass();
});

t.test('each value of a text is found by its pointer at the place where it stands', async (t) => {
  fc.assert(
    fc.property(value, layout, (json, indent) => {
      const text = JSON.stringify(json, null, indent);
      for (const [pointer, offset] of walkJson(text).places) {
        const steps = pointerSteps(pointer);
        let node: unknown = JSON.parse(text);
        let parent: unknown;
        for (const step of steps) [parent, node] = [node, (node as Record<string, unknown>)[step]];
        // An entry of an object is found at its name, anything else at the value itself.
        const named = typeof parent === 'object' && parent !== null && !Array.isArray(parent);
        const stands = named ? JSON.stringify(steps.at(-1)) : JSON.stringify(node).charAt(0);
        if (!text.startsWith(stands, offset)) return false;
      }
      return true;
    }),
  );
  t.pass();
});

const MISTAKES: readonly [string, string, number, number, RegExp][] = [
  ['a comma too many', '[\n 1,\n 2,\n]', 4, 1, /comma too many/],
  ['a comma too few', '{ "a": 1\n  "b": 2 }', 2, 3, /a comma between settings/],
  ['a text that is not closed', '{ "a": "b,\n "c": 1 }', 1, 11, /closing "/],
  ['a name without quotes', '{ a: 1 }', 1, 3, /name in double quotes/],
  ['a colon forgotten', '{ "a" 1 }', 1, 7, /colon/],
  ['a comment', '{ // why\n "a": 1 }', 1, 3, /name in double quotes/],
  ['a number that begins with 0', '[ 08 ]', 1, 4, /comma between entries/],
  ['an unknown escape', '[ "a\\d" ]', 1, 5, /escape/],
  ['an empty file', '', 1, 1, /a value/],
  ['a file that ends too soon', '{ "a": [1,', 1, 11, /a value/],
  ['two values', '[]\n[]', 2, 1, /end of the file/],
];

for (const [what, text, line, column, expected] of MISTAKES) {
  t.test(`${what} is told with line and column`, async (t) => {
    const { mistake } = walkJson(text);
    t.match(mistake?.expected, expected);
    t.same(mistake && placeOf(text, mistake.offset), { line, column });
    t.equal(parses(text), false);
  });
}

t.test('a text nested a hundred thousand deep is refused and does no harm', async (t) => {
  t.match(walkJson('['.repeat(100_000)).mistake?.expected, /levels of nesting/);
});

t.test('a name that stands twice is found, however it is written', async (t) => {
  t.match(walkJson('{"a": {"b": 1, "\\u0062": 2}}').doubled, [{ pointer: '/a/b', offset: 15 }]);
  t.same(walkJson('{"a": {"b": 1}, "b": {"b": 2}}').doubled, []);
});
