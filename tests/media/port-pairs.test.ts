import t from 'tap';
import { PortPairs, PortsExhausted, type SocketPair } from '../../gateway/media/relay/port-pairs.js';

t.test('of a range that is used up, the pair that has rested longest is given first', async (t) => {
  // Whoever else has one of these makes it no pair of ours: there are some left.
  const from = 20_000 + 2 * Math.floor(Math.random() * 5_000);
  const pairs = new PortPairs('127.0.0.1', { from, to: from + 15 }, (error) => t.fail(error.message));
  const held: SocketPair[] = [];
  t.teardown(() => {
    for (const pair of held) pair.close();
  });
  for (;;) {
    const pair = await pairs.open().catch((error: unknown) => {
      if (!(error instanceof PortsExhausted)) throw error;
    });
    if (pair === undefined) break;
    held.push(pair);
  }
  t.ok(held.length >= 4 && held.length <= 8);
  const [first, second, third] = held.splice(0, 3) as [SocketPair, SocketPair, SocketPair];
  // What is still on its way to the last of them finds nobody for as long as can be.
  for (const pair of [second, third, first]) pair.close();
  first.close();
  for (const { port } of [second, third, first]) {
    const next = await pairs.open();
    held.push(next);
    t.equal(next.port, port);
  }
  t.equal(new Set(held.map(({ port }) => port)).size, held.length, 'closing twice gives nothing back twice');
});
