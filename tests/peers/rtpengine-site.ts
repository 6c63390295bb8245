import type { Test } from 'tap';
import { startRtpengine } from '../../scripts/bench/rtpengine.js';

/** Starts Debian's rtpengine for a test, and says what a site's `media` is to be that uses it. */
export async function rtpengineMedia(t: Test) {
  const from = 46_000 + 2 * Math.floor(Math.random() * 4_000);
  const daemon = await startRtpengine({ from, to: from + 400 });
  t.teardown(() => daemon.stop());
  const media = {
    ...{ driver: 'rtpengine', cellAddress: '127.0.0.1', carrierAddress: '127.0.0.1' },
    rtpengine: { address: '127.0.0.1', port: daemon.ngPort },
  };
  return { daemon, media };
}
