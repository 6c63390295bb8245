import t from 'tap';
import { until } from '../headquarters/world.js';
import { BadWire, type WireFaults } from './bad-wire.js';
import { aBroker, anUplink, draft, Ear, needsMosquitto } from './world.js';

const CONNACK = 2;

t.test(
  'an uplink that is stopped while its connection is being made stops, and nothing throws',
  needsMosquitto,
  async (t) => {
    const broker = await aBroker(t);
    const faults: WireFaults = {};
    const wire = await BadWire.start(t, broker.port, faults);
    const { uplink } = anUplink(t, { url: wire.url });
    let stopped: Promise<void> | undefined;
    faults.down = (type, packet) => {
      if (type === CONNACK) stopped ??= uplink.stop();
      return [packet];
    };
    uplink.start();
    await until(() => stopped !== undefined);
    await stopped;
    t.equal(uplink.connected, false);
  },
);

t.test(
  'a connection that is given up just as it comes up is made again, and nothing throws',
  needsMosquitto,
  async (t) => {
    const broker = await aBroker(t);
    const faults: WireFaults = {};
    const wire = await BadWire.start(t, broker.port, faults);
    const { store, uplink } = anUplink(t, { url: wire.url });
    const ear = await Ear.at(t, broker.url);
    let times = 0;
    faults.down = (type, packet) => {
      if (type !== CONNACK) return [packet];
      times += 1;
      if (times > 2) return [packet];
      // The broker's word is already on its way up through the client when it is given up.
      setImmediate(() => uplink.reconnect('test'));
      queueMicrotask(() => uplink.reconnect('test'));
      return [packet];
    };
    store.calls.append([draft(1)]);
    uplink.start();
    await ear.hear('event', ({ sequence }) => sequence === 1);
    t.ok(times >= 2, `${times} connections`);
  },
);
