import { readFileSync } from 'node:fs';
import t from 'tap';
import { programData } from '../../gateway/config/paths.js';
import { generateTypes } from '../../scripts/generate-types.js';
import { withTables } from '../../scripts/manual-tables.js';

t.test('the types are the same however often they are generated, and those on disk', async (t) => {
  const once = await generateTypes();
  t.equal(await generateTypes(), once);
  t.equal(readFileSync(programData('schema', 'types.generated.ts'), 'utf8'), once, 'run npm run generate');
});

t.test('types describe values as validation leaves them: defaults are there, and nothing can be changed', async (t) => {
  const types = await generateTypes();
  t.match(types, /\n {2}readonly ringS: number;/, 'a setting with a default is always there');
  t.match(types, /\n {2}readonly talkPerDayS\?: number;/, 'one without may be absent');
  t.match(types, /\n {2}readonly allow: readonly string\[\];/);
  t.match(types, /\n {2}readonly transport: SerialTransport \| RtuOverTcpTransport;/);
  // A union too long for its line goes on with the name of a type.
  t.notOk(/^ +(?!readonly |\/\*\*|\*|\}|\||[A-Z]\w* \|)\S/m.test(types), 'no property is writable');
});

t.test("the manual's tables name every setting of the schemas", async (t) => {
  const manual = withTables('# by hand\n');
  t.match(manual, /^# by hand\n/);
  for (const setting of ['sip.cell.port', 'ha1.SHA-256', 'line.hook', 'commandKeys[].kid', 'transport.baud']) {
    t.ok(manual.includes(`| \`${setting}\` |`), setting);
  }
  t.equal(withTables(manual), manual);
});
