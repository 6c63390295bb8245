/** Bundles that headquarters sends, which come again with each connection. */
import t from 'tap';
import { BundleFault } from '../../gateway/policy-bundle/bundle.js';
import { type BundleAnswer, BundleInbox } from '../../gateway/policy-bundle/inbox.js';
import { VirtualClock } from '../lines/virtual-clock.js';

const TAKEN = { version: 1, widens: [], wasInForce: false };
const HOUR_MS = 3_600_000;

function world(offer: (text: string, atMs: number) => typeof TAKEN) {
  const clock = new VirtualClock();
  const refused: string[] = [];
  const late: { readonly text: string; readonly answer: BundleAnswer }[] = [];
  let heard: () => void = () => undefined;
  const inbox = new BundleInbox({
    clock,
    offer: async (text, at) => offer(text, at.epochMilliseconds),
    onRefused: (fault) => refused.push((fault as Error).message),
    onLate: (text, answer) => {
      late.push({ text, answer });
      heard();
    },
  });
  const nextLate = () =>
    new Promise<void>((settle) => {
      heard = settle;
    });
  return { clock, inbox, refused, late, nextLate };
}

t.test('a refused bundle that comes again is answered again and alarmed once; another is alarmed too', async (t) => {
  const { inbox, refused } = world((text) => {
    throw new BundleFault('replayed', `${text} is old`);
  });
  for (const text of ['a', 'a', 'b', 'b', 'a']) {
    t.same(await inbox.take(text), { state: 'refused', why: 'replayed', detail: `${text} is old` });
  }
  t.same(refused, ['a is old', 'b is old', 'a is old']);
});

t.test('a bundle for later waits for its hour, and is answered then', async (t) => {
  let fromMs = 0;
  const { clock, inbox, refused, late, nextLate } = world((_text, atMs) => {
    if (atMs < fromMs) throw new BundleFault('not-yet-valid', 'later', fromMs);
    return TAKEN;
  });
  fromMs = clock.wall().epochMilliseconds + 90 * 60_000;
  t.same(await inbox.take('tomorrow'), { state: 'accepted', detail: 'later' });
  clock.go(HOUR_MS);
  await inbox.take('tomorrow');
  clock.go(30 * 60_000 - 1);
  t.same(late, []);
  const told = nextLate();
  clock.go(1);
  await told;
  t.match(late, [{ text: 'tomorrow', answer: { state: 'done' } }]);
  t.same(refused, []);
});

t.test('a newer bundle takes the place of one that waits', async (t) => {
  const offered: string[] = [];
  const { clock, inbox, late } = world((text, atMs) => {
    offered.push(text);
    if (text === 'later') throw new BundleFault('not-yet-valid', 'later', atMs + 1_000);
    return TAKEN;
  });
  const answers = await Promise.all([inbox.take('later'), inbox.take('now')]);
  t.same(
    answers.map(({ state }) => state),
    ['accepted', 'done'],
  );
  clock.go(HOUR_MS);
  await inbox.take('end');
  t.same([offered, late], [['later', 'now', 'end'], []]);
});

t.test('what the disk does not take is tried again each minute, and told once', async (t) => {
  let isFull = true;
  const { clock, inbox, refused, late, nextLate } = world(() => {
    if (isFull) throw new Error('ENOSPC');
    return TAKEN;
  });
  t.match(await inbox.take('a'), { state: 'failed', why: 'store-failed', detail: 'ENOSPC' });
  let told = nextLate();
  clock.go(60_000);
  await told;
  isFull = false;
  told = nextLate();
  clock.go(60_000);
  await told;
  t.match(
    late.map(({ answer }) => answer.state),
    ['failed', 'done'],
  );
  t.same(refused, ['ENOSPC']);
});
