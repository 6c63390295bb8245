import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { Sipp } from './sipp.js';
import { passwordOf } from './site.js';

const scenarios = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'tests', 'system', 'sipp');

export interface HandsetPeer {
  /** `handset-waits`, `handset-hangs-up`, `handset-cancels`, `handset-refused`, `handset-refers`. */
  readonly scenario: string;
  readonly user: string;
  readonly dialled: string;
  /** The gateway's cell port. */
  readonly port: number;
  readonly rtpPort: number;
  /** The final status that `handset-refused` expects. */
  readonly status?: number;
  /** How long `handset-hangs-up` talks, milliseconds. */
  readonly talkMs?: number;
}

/** A handset played by SIPp, with digest. Its exit code is 0 when everything came as its scenario says. */
export function handsetPeer(t: Test, peer: HandsetPeer): Promise<Sipp> {
  return Sipp.start(t, {
    scenario: filled(t, peer.scenario, peer.status === undefined ? undefined : { STATUS: String(peer.status) }),
    remote: `127.0.0.1:${peer.port}`,
    calls: 1,
    keys: { user: peer.user, dialled: peer.dialled, rtp_port: peer.rtpPort },
    // SIPp writes the gateway's bare address into its credentials, unless told what it dials (RFC 7616 §3.4.6).
    args: [
      ...['-au', peer.user, '-ap', passwordOf(peer.user), '-d', String(peer.talkMs ?? 500)],
      ...['-auth_uri', `${peer.dialled}@127.0.0.1:${peer.port}`],
    ],
  });
}

/** A handset that registers, and then waits for the gateway to call it for what was keyed beside it. */
export async function calledHandset(
  t: Test,
  peer: Pick<HandsetPeer, 'user' | 'port' | 'rtpPort'>,
  scenario = 'handset-is-called',
): Promise<Sipp> {
  const { user, port, rtpPort } = peer;
  const remote = `127.0.0.1:${port}`;
  const waiting = await Sipp.start(t, {
    scenario: filled(t, scenario),
    calls: 1,
    keys: { user, rtp_port: rtpPort },
  });
  const registering = await Sipp.start(t, {
    scenario: filled(t, 'handset-registers'),
    remote,
    calls: 1,
    keys: { user, contact_port: waiting.port },
    args: ['-au', user, '-ap', passwordOf(user), '-auth_uri', remote],
  });
  const { code, output } = await registering.exited;
  if (code !== 0) throw new Error(`the handset could not register: ${output}`);
  return waiting;
}

/** A carrier played by SIPp: `carrier-answers`, `carrier-busy`, `carrier-rings`, `carrier-hangs-up`, `carrier-speaks-early`. */
export function carrierPeer(
  t: Test,
  scenario: string,
  port: number,
  rtpPort: number,
  calls = 1,
  pauseMs = 500,
  ringMs?: number,
): Promise<Sipp> {
  const longer = ringMs === undefined ? undefined : { [RING]: `milliseconds="${ringMs}"` };
  return Sipp.start(t, {
    scenario: filled(t, scenario, longer),
    port,
    calls,
    keys: { rtp_port: rtpPort },
    args: ['-d', String(pauseMs)],
  });
}

/** How long the carriers' scenarios ring before they answer. */
const RING = 'milliseconds="200"';

/** SIPp takes no variable as an expected status or a pause: they are written into a copy of the scenario. */
function filled(t: Test, name: string, words?: Readonly<Record<string, string>>): string {
  const file = join(scenarios, `${name}.xml`);
  if (words === undefined) return file;
  const folder = mkdtempSync(join(tmpdir(), 'balise-scenario-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const copy = join(folder, `${name}.xml`);
  let text = readFileSync(file, 'utf8');
  for (const [word, instead] of Object.entries(words)) text = text.replace(word, instead);
  writeFileSync(copy, text);
  return copy;
}
