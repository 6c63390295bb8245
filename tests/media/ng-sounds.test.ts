import t from 'tap';
import { NgSounds } from '../../gateway/media/rtpengine/ng-sounds.js';
import { VirtualClock } from '../lines/virtual-clock.js';

t.test('ring-back is a second of tone in five, until something else is to be heard', async (t) => {
  const still = new VirtualClock();
  const asked: string[] = [];
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const ask = async (command: string) => {
    asked.push(command);
    return { result: 'ok', fields: {} } as const;
  };
  const says = new NgSounds(ask, still, async () => true);
  says.ring();
  for (const count of [1, 2, 3]) {
    await turn();
    t.equal(asked.length, count);
    for (let seconds = 0; seconds < 5; seconds++) {
      still.go(1_000);
      await turn();
    }
  }
  says.hush();
  still.go(60_000);
  await turn();
  t.same(asked, [...Array(4).fill('play media'), 'stop media']);
});
