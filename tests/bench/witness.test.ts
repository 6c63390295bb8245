/** What is made of the peers' own stamps. */
import t from 'tap';
import { setUpDelays } from '../../scripts/bench/measure-calls.js';
import { byesReceived, nextInstantMs, talkMs } from '../../scripts/bench/measure-cutoff.js';
import type { SeenMessage } from '../../scripts/bench/sipp.js';

const seen = (
  atMs: number,
  direction: SeenMessage['direction'],
  callId: string,
  cseq: string,
  start: string,
): SeenMessage => ({ atMs, direction, callId, cseq, start });
const invite = (number: string) => `INVITE sip:${number}@127.0.0.1:5060 SIP/2.0`;
const ONE = '+441134960001';
const TWO = '+441134960002';

t.test(
  'the set-up delay is from the first INVITE of the handset, before the challenge, to that of the trunk',
  async (t) => {
    const near = [
      seen(10, 'sent', 'a', '1 INVITE', invite(ONE)),
      seen(12, 'received', 'a', '1 INVITE', 'SIP/2.0 401 Unauthorized'),
      seen(13, 'sent', 'a', '2 INVITE', invite(ONE)),
      seen(20, 'sent', 'b', '1 INVITE', invite(TWO)),
    ];
    const far = [
      seen(15, 'received', 'x', '1 INVITE', invite(ONE)),
      seen(515, 'received', 'x', '1 INVITE', invite(ONE)),
      seen(22, 'received', 'y', '1 INVITE', invite(TWO)),
    ];
    t.same(setUpDelays(near, far), [5, 2]);
  },
);

t.test('calls to one number are paired in their order, each from its first INVITE', async (t) => {
  const near = [
    seen(10, 'sent', 'a', '1 INVITE', invite(ONE)),
    seen(13, 'sent', 'a', '2 INVITE', invite(ONE)),
    seen(60, 'sent', 'b', '1 INVITE', invite(ONE)),
  ];
  const far = [
    seen(15, 'received', 'x', '1 INVITE', invite(ONE)),
    seen(16, 'received', 'x', '1 INVITE', invite(ONE)),
    seen(67, 'received', 'y', '1 INVITE', invite(ONE)),
  ];
  t.same(setUpDelays(near, far), [5, 7]);
});

t.test('talk is from the first 200 to the INVITE to the first BYE, each as the same peer saw it', async (t) => {
  const messages = [
    seen(100, 'received', 'a', '1 INVITE', 'SIP/2.0 200 OK'),
    seen(600, 'received', 'a', '1 INVITE', 'SIP/2.0 200 OK'),
    seen(10_108, 'received', 'a', '2 BYE', `BYE sip:b1@127.0.0.1 SIP/2.0`),
    seen(10_109, 'sent', 'a', '2 BYE', 'SIP/2.0 200 OK'),
    seen(10_608, 'received', 'a', '2 BYE', `BYE sip:b1@127.0.0.1 SIP/2.0`),
  ];
  t.same(talkMs(messages, 'received'), [10_008]);
  t.same([...byesReceived(messages)], [['a', 10_108]]);
});

t.test('a call that was never told of its end has talked for ever', async (t) => {
  t.same(talkMs([seen(100, 'received', 'a', '1 INVITE', 'SIP/2.0 200 OK')], 'received'), [Number.POSITIVE_INFINITY]);
});

t.test('calls that end at one instant end at a whole minute, with time to place them before it', async (t) => {
  const minute = 1_800_000_000_000;
  for (const intoMs of [0, 1, 30_000, 45_999, 46_000, 46_001, 59_999]) {
    const endMs = nextInstantMs(minute + intoMs);
    t.equal(endMs % 60_000, 0);
    t.ok(endMs - (minute + intoMs) >= 14_000 && endMs - (minute + intoMs) < 74_000, `${intoMs} ms into the minute`);
  }
});
