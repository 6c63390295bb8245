import type { Test } from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { type BoardPeer, boardPeer } from './board-peer.js';
import { GatewayProcess } from './gateway-process.js';
import { RtpProbe } from './rtp-probe.js';
import { carrierPeer, handsetPeer } from './scenario.js';
import type { Sipp } from './sipp.js';
import { handset, makeSite, profile, type SiteParts } from './site.js';

export const ALLOWED = '+442079460001';

/** One call that is up on all three planes, with a witness at each far end. */
export interface CallUp {
  readonly running: GatewayProcess;
  readonly siteFolder: string;
  readonly near: Sipp;
  readonly far: Sipp;
  readonly cellProbe: RtpProbe;
  readonly trunkProbe: RtpProbe;
  readonly line: BoardPeer;
}

/** Starts a gateway with a wired handset, lifts it, and places a call; settles when speech has been heard at both ends. */
export async function callUp(
  t: Test,
  more: {
    profile?: Record<string, unknown>;
    parts?: SiteParts;
    board?: (t: Test) => Promise<BoardPeer>;
    beforeCall?: () => Promise<unknown>;
  } = {},
): Promise<CallUp> {
  const [trunkPort, line] = await Promise.all([freePort(), (more.board ?? boardPeer)(t)]);
  const siteFolder = makeSite(t, trunkPort, {
    profiles: [profile({ hookRequired: true, ...more.profile })],
    boards: line.boards,
    handsets: [handset('a-101', { line: line.line })],
    ...more.parts,
  });
  const running = await GatewayProcess.start(t, siteFolder);
  await more.beforeCall?.();
  await line.relayIs(0, true);
  line.setHook(0, true);
  // The agent reads the inputs every 50 ms; the call below waits for off-hook for two seconds.
  const [cellProbe, trunkProbe] = await Promise.all([RtpProbe.open(t), RtpProbe.open(t)]);
  const far = await carrierPeer(t, 'carrier-answers', trunkPort, trunkProbe.port);
  const near = await handsetPeer(t, {
    scenario: 'handset-waits',
    user: 'a101',
    dialled: ALLOWED,
    port: running.port('cell'),
    rtpPort: cellProbe.port,
  });
  const [cellPort, relayPort] = await Promise.all([near.audioPort(), far.audioPort()]);
  cellProbe.talkTo(cellPort);
  trunkProbe.talkTo(relayPort);
  await Promise.all([cellProbe.heard(5), trunkProbe.heard(5)]);
  return { running, siteFolder, near, far, cellProbe, trunkProbe, line };
}
