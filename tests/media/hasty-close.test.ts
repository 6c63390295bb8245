import t from 'tap';
import { relayClock } from '../../gateway/media/relay/clock.js';
import { Relay } from '../../gateway/media/relay/relay.js';
import { SoundLibrary } from '../../gateway/media/relay/sound-library.js';

const HANDSET = { address: '127.0.0.1', port: 4_000, rtcpPort: 4_001, networks: [] };
const OPEN = { do: 'open', call: 'hasty', handset: HANDSET, earlyMedia: false, digitsAllowed: '' } as const;

t.test(
  'a call that is closed, or loses contact, while its sockets are being bound leaves nothing behind',
  async (t) => {
    let retired = 0;
    const relay = new Relay({
      clock: relayClock(),
      contact: { untilMs: Number.POSITIVE_INFINITY, lose: () => undefined },
      cellAddress: '127.0.0.1',
      carrierAddress: '127.0.0.1',
      ports: null,
      sounds: new SoundLibrary(),
      tell: () => undefined,
      onSocketError: (error) => t.fail(error.message),
      onRetired: () => retired++,
    });
    const closing = relay.carryOut({ ...OPEN, id: 1 });
    t.match(await relay.carryOut({ do: 'close', call: 'hasty', id: 2 }), { event: 'closed', id: 2 });
    t.match(await closing, { event: 'failed', code: 'media.call-closed' });

    const losing = relay.carryOut({ ...OPEN, id: 3 });
    relay.dropAll();
    t.match(await losing, { event: 'failed', code: 'media.call-closed' });

    t.match(await relay.carryOut({ ...OPEN, id: 4 }), { event: 'opened' });
    t.match(await relay.carryOut({ do: 'status', id: 5 }), { calls: ['hasty'] });
    t.match(await relay.carryOut({ ...OPEN, id: 6 }), { code: 'media.call-exists' });
    t.equal(relay.dropAll(), 1);
    t.match(await relay.carryOut({ do: 'status', id: 7 }), { calls: [] });
    t.equal(retired, 0);
  },
);
