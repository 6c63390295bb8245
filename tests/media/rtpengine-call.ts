/** What the tests of the rtpengine driver share: Debian's daemon, gateways on it, and calls with both ends talking. */
import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { MediaOrder } from '../../gateway/calls/ports.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { programData } from '../../gateway/config/paths.js';
import { type MediaRules, PLAIN_RULES } from '../../gateway/media/media-rules.js';
import { SoundLibrary } from '../../gateway/media/relay/sound-library.js';
import { RtpenginePlane } from '../../gateway/media/rtpengine/rtpengine-plane.js';
import { type Rtpengine, startRtpengine } from '../../scripts/bench/rtpengine.js';
import { CALL, connected, Ear, orderOf } from './plane-ear.js';
import { clock, stream } from './relay-process.js';
import { RtpParty, stampedPayload, stampOf } from './rtp-party.js';

const sounds = SoundLibrary.load(programData('prompts'));

/** A daemon that ends with the test. */
export async function startDaemon(t: Pick<Test, 'teardown'>): Promise<Rtpengine> {
  const from = 42_000 + 2 * Math.floor(Math.random() * 4_000);
  const daemon = await startRtpengine({ from, to: from + 1_000 });
  t.teardown(() => daemon.stop());
  return daemon;
}

let shared: Promise<Rtpengine> | undefined;
/** The daemon of all tests that leave it as it was; what each gateway has there bears a name of its own. */
export function sharedDaemon(): Promise<Rtpengine> {
  shared ??= startDaemon(t);
  return shared;
}
let gateways = 0;

export async function planeOn(
  t: Test,
  { ngPort }: Rtpengine,
  { rules = {}, ...more }: { clock?: Clock; owner?: string; rules?: Partial<MediaRules> } = {},
) {
  const ear = new Ear();
  const rulesOf = () => ({ ...PLAIN_RULES, ...rules });
  const log = pino({ level: 'silent' });
  const plane = new RtpenginePlane({ clock, log, sink: ear, owner: `gw-${++gateways}`, rulesOf, sounds, ...more });
  t.teardown(() => plane.detach());
  await plane.attach('127.0.0.1', ngPort);
  return { ear, plane };
}

export async function parties(t: Test) {
  const [handset, trunk] = [await RtpParty.at('127.0.0.1', 1), await RtpParty.at('127.0.0.1', 2)];
  t.teardown(() => {
    handset.close();
    trunk.close();
  });
  return { handset, trunk };
}

/** A call that is connected and not armed, with both ends talking. */
export async function callOn(
  t: Test,
  { ear, plane }: Awaited<ReturnType<typeof planeOn>>,
  more: Partial<MediaOrder> = {},
) {
  const { handset, trunk } = await parties(t);
  plane.open(CALL, { ...orderOf(handset), ...more });
  const sides = await connected(plane, ear, trunk);
  const { handsetSide, trunkSide } = sides;
  const talk = stream(10, async () => {
    await handset.send(handsetSide, { payload: stampedPayload() });
    await trunk.send(trunkSide, { payload: stampedPayload() });
  });
  t.teardown(() => talk.stop());
  return { handset, trunk, ...sides };
}

/** Every sample of A-law that came to a party, in order. */
export const heardBy = (party: RtpParty): Buffer =>
  Buffer.concat(
    party.received.filter((packet) => packet[1] === 8 || packet[1] === 0x88).map((packet) => packet.subarray(12)),
  );
export const clipOf = (language: string, piece: string): Buffer =>
  readFileSync(programData('prompts', language, `${piece}.alaw`));

/** When the last packet that came anywhere had been sent, once none has come for a while: milliseconds after `from`. */
export async function silentAfter(parties: readonly RtpParty[], from: bigint): Promise<number> {
  const last = (): bigint =>
    parties
      .map(
        ({ received }) =>
          received
            .filter((packet) => packet.length === 172)
            .map(stampOf)
            .at(-1) ?? 0n,
      )
      .sort((a, b) => Number(b - a))[0] ?? 0n;
  for (;;) {
    if (clock.monotonicNs() - last() > 400_000_000n && clock.monotonicNs() > from) break;
    await new Promise((resolve) => clock.after(50, () => resolve(undefined)));
  }
  return Number(last() - from) / 1e6;
}
