import t from 'tap';
import { Lane, type LaneMessage } from '../../gateway/uplink/lane.js';

function world(width: number) {
  const lane = new Lane();
  const sent: string[] = [];
  let waiting: (() => void)[] = [];
  const send = ({ topic, payload }: LaneMessage, done: () => void) => {
    sent.push(`${topic}=${payload}`);
    waiting.push(done);
  };
  const confirmAll = () => {
    const now = waiting;
    waiting = [];
    for (const done of now) done();
  };
  return { lane, sent, confirmAll, up: () => lane.up(width, send) };
}

t.test('a state that changes while it is being sent is sent once more, and only as it is then', (t) => {
  const { lane, sent, confirmAll, up } = world(4);
  up();
  for (const value of ['1', '2', '3']) lane.state('a', value);
  t.same(sent, ['a=1']);
  confirmAll();
  t.same(sent, ['a=1', 'a=3']);
  lane.state('a', '3');
  confirmAll();
  t.same(sent, ['a=1', 'a=3'], 'the same again is not news');
  t.end();
});

t.test('a new connection gets every state, and the acknowledgements that the old one did not confirm', (t) => {
  const { lane, sent, confirmAll, up } = world(1);
  lane.state('a', '1');
  lane.ack('ack/1', 'x');
  lane.ack('ack/2', 'y');
  up();
  t.same(sent, ['ack/1=x', 'a=1'], 'acknowledgements first');
  lane.down();
  confirmAll();
  up();
  t.same(sent.slice(2), ['ack/1=x', 'a=1']);
  confirmAll();
  t.same(sent.slice(4), ['ack/2=y']);
  t.end();
});

t.test('no more states are in flight than the lane is wide', (t) => {
  const { lane, sent, confirmAll, up } = world(2);
  for (const topic of ['a', 'b', 'c']) lane.state(topic, '1');
  up();
  t.same(sent, ['a=1', 'b=1']);
  confirmAll();
  t.same(sent, ['a=1', 'b=1', 'c=1']);
  t.end();
});
