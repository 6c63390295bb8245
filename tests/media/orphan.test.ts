import t from 'tap';
import { callBetween, linkTo, startRelay } from './relay-process.js';

const stuckWrites = new URL('./fixtures/stuck-writes.js', import.meta.url).href;

t.test('a relay whose gateway was killed ends by itself, though nobody takes its log any more', async (t) => {
  const { child, socket, exited } = await startRelay(t, {}, 'stdin', [`--import=${stuckWrites}`]);
  const { link } = await linkTo(t, socket);
  await callBetween(t, link, 'orphaned');
  link.close();
  child.stdout?.destroy();
  child.stdin?.destroy();
  t.same(await exited, [0, null]);
});
