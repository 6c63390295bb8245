/** What a site's files can get wrong about cards and panic buttons, told before anything starts. */
import t, { type Test } from 'tap';
import type { ConfigFault } from '../../gateway/config/fault.js';
import { loadSite } from '../../gateway/config/site.js';
import { handset, makeSite } from '../peers/site.js';

const transport = { kind: 'rtu-over-tcp', host: '127.0.0.1', port: 5020 };
const board = (more: Record<string, unknown> = {}) => ({
  id: 'b1',
  device: 'generic-8r8i',
  unit: 1,
  agent: 'modbus-1',
  transport,
  ...more,
});

async function faultsOf(t: Test, boards: readonly Record<string, unknown>[], hook = 0) {
  const handsets = [handset('a-101', { line: { board: 'b1', relay: 0, hook } })];
  const site = makeSite(t, 9, { boards, handsets });
  const fault = await loadSite(site).then(
    () => undefined,
    (error: ConfigFault) => error,
  );
  return fault?.faults ?? [];
}

t.test('a panic button with an input of its own is no fault', async (t) => {
  t.same(await faultsOf(t, [board({ panic: { input: 7, wing: 'a' } })]), []);
});

t.test('a panic button on the input of a handset is one', async (t) => {
  const expected = /an input that no handset has; handset "a-101" has it/;
  t.match(await faultsOf(t, [board({ panic: { input: 7 } })], 7), [{ pointer: '/0/panic/input', expected }]);
});

t.test('a panic button on an input that the board does not have is one', async (t) => {
  const expected = /from 0 to 7: generic-8r8i has 8 inputs/;
  t.match(await faultsOf(t, [board({ panic: { input: 8 } })]), [{ pointer: '/0/panic/input', expected }]);
});

t.test('a panic button for a wing that is not there is one', async (t) => {
  t.match(await faultsOf(t, [board({ panic: { input: 7, wing: 'z' } })]), [
    { pointer: '/0/panic/wing', expected: /a wing/ },
  ]);
});

t.test('a line card with a panic button, or beside another board on its agent, is one', async (t) => {
  const card = board({ device: 'line-card-32' });
  t.match(await faultsOf(t, [{ ...card, panic: { input: 7 } }]), [
    { pointer: '/0/panic', expected: /no input for one/ },
  ]);
  const beside = board({ id: 'b2', unit: 2 });
  t.match(await faultsOf(t, [card, beside]), [{ pointer: '/0/agent', expected: /an agent of its own: board "b2"/ }]);
});
