/** A command on the site's files writes into the store of the gateway that runs: one chain, whoever adds to it. */
import t from 'tap';
import type { EventDraft } from '../../gateway/calls/ports.js';
import { aFolder, aStore } from './folder.js';

const START = { alarm: 0, event: 0 };
const event = (n: number): EventDraft => ({ kind: 'event', type: 'balise.person.changed', data: { n } });

t.test('two stores of one folder add to one chain in turn', async (t) => {
  const folder = aFolder(t);
  const [gateway, command] = [aStore(t, { folder }), aStore(t, { folder })];
  gateway.calls.append([event(1), event(2)]);
  command.calls.append([event(3)]);
  gateway.calls.append([event(4)]);
  command.calls.append([event(5), event(6)]);
  gateway.inOneTransaction(() => undefined);
  gateway.calls.append([event(7)]);
  t.same(
    gateway.outbox.pending(START, 100).map(({ sequence }) => sequence),
    [1, 2, 3, 4, 5, 6, 7],
  );
  t.match(gateway.verifyChain(), { whole: true, from: 1, to: 7 });
});

t.test('what another process has written goes out, though the gateway has nothing to say itself', async (t) => {
  const folder = aFolder(t);
  const [gateway, command] = [aStore(t, { folder }), aStore(t, { folder })];
  gateway.calls.append([event(1)]);
  command.calls.append([event(2)]);
  t.same(
    gateway.outbox.pending(START, 100).map(({ sequence }) => sequence),
    [1, 2],
  );
});
