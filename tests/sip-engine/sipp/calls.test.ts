/**
 * SIPp as caller and as callee, the engine with a bridging application between them: each transaction row that can be seen on
 * the wire, by UDP over a bad path and by TCP. Every call must end in its right state on both sides, which is what SIPp's
 * status says, and leave nothing behind in the engine.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { EngineConfig } from '../../../gateway/sip-engine/engine.js';
import { freePort } from '../../../scripts/peers/free-port.js';
import { Sipp } from '../../peers/sipp.js';
import { type Rig, startRig } from '../rig.js';
import { bridge } from '../two-legs.js';
import { LossyPath } from './lossy-path.js';
import { SCENARIOS, type ScenarioName, scenarioText, TIMERS } from './scenarios.js';

const CALLS = 25;
const RATE = 10;
/** 2 % lost, and as many doubled; one in twenty overtaken. */
const BAD = { dropped: 20, doubled: 20, delayed: 50 };

function scenarioFile(test: Test, name: ScenarioName, side: 'caller' | 'callee'): string {
  const folder = mkdtempSync(join(tmpdir(), 'balise-scenario-'));
  test.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, `${name}-${side}.xml`);
  writeFileSync(file, scenarioText(name, side));
  return file;
}

/** The engine with an application that joins each call to the callee's address. */
function joining(
  test: Test,
  calleePort: () => number,
  transport: 'udp' | 'tcp',
  timers: EngineConfig['timers'] = {},
): Promise<Rig> {
  return startRig(test, (srf) => bridge(srf, calleePort, undefined, transport), { timers });
}

/** Waits until this SIPp listens on a TCP port, which it does not say; false when it ends instead, because somebody has taken the port. */
async function listening(sipp: Sipp, port: number): Promise<boolean> {
  let isOver = false;
  void sipp.exited.then(() => {
    isOver = true;
  });
  for (;;) {
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (there || isOver) return !isOver;
    await new Promise<void>((resolve) => setTimeout(resolve, 20));
  }
}

async function finished(test: Test, name: string, rig: Rig, peers: readonly Sipp[]): Promise<void> {
  for (const peer of peers) {
    const { code, output } = await peer.exited;
    test.equal(
      code,
      0,
      `${name}: every call went as its scenario says${code === 0 ? '' : `: ${output.slice(-1_500)}`}`,
    );
  }
  const { dialogs, dialogsBegun = 0 } = rig.engine.status();
  test.equal(dialogs, 0, `${name}: no dialog is left`);
  test.ok(dialogsBegun >= 2 * CALLS, `${name}: ${dialogsBegun} dialogs`);
}

const names = Object.keys(SCENARIOS) as ScenarioName[];
const KEYWORDS = ['-default_behaviors', 'all,-bye,-abortunexp', '-max_retrans', '10'];

t.test(
  'by UDP, with 2 % of the datagrams lost, as many doubled and some overtaken',
  { timeout: 120_000 },
  async (test) => {
    const seed = (Math.random() * 2 ** 32) >>> 0;
    test.comment(`seed ${seed}`);
    await Promise.all(
      names.map(async (name, at) => {
        let calleeInner = 0;
        const rig = await joining(test, () => calleeInner, 'udp', TIMERS[name]);
        const [callerPort, calleePort] = [await freePort(), await freePort()];
        const near = await LossyPath.open(test, seed + at, BAD, { peer: callerPort, engine: rig.port });
        const far = await LossyPath.open(test, seed + 100 + at, BAD, { peer: calleePort, engine: rig.port });
        calleeInner = far.inner.address().port;
        const common = { calls: CALLS, args: KEYWORDS, timeoutS: 40 };
        const callee = await Sipp.start(test, {
          ...common,
          scenario: scenarioFile(test, name, 'callee'),
          port: calleePort,
          keys: { contact_port: calleeInner },
        });
        const caller = await Sipp.start(test, {
          ...common,
          scenario: scenarioFile(test, name, 'caller'),
          remote: `127.0.0.1:${near.outer.address().port}`,
          port: callerPort,
          keys: { contact_port: near.inner.address().port },
          args: [...KEYWORDS, '-r', String(RATE)],
        });
        await finished(test, name, rig, [caller, callee]);
        const lost = near.counts.dropped + far.counts.dropped;
        test.comment(`${name}: ${near.counts.passed + far.counts.passed} datagrams, ${lost} lost`);
      }),
    );
  },
);

t.test('by TCP', { timeout: 60_000 }, async (test) => {
  await Promise.all(
    names.map(async (name) => {
      let calleePort = await freePort();
      const rig = await joining(test, () => calleePort, 'tcp', TIMERS[name]);
      const common = { calls: CALLS, timeoutS: 40 };
      const calleeAt = (port: number) =>
        Sipp.start(test, {
          ...common,
          scenario: scenarioFile(test, name, 'callee'),
          port,
          keys: { contact_port: port },
          args: [...KEYWORDS, '-t', 't1'],
        });
      let callee = await calleeAt(calleePort);
      while (!(await listening(callee, calleePort))) {
        calleePort = await freePort();
        callee = await calleeAt(calleePort);
      }
      const callerPort = await freePort();
      const caller = await Sipp.start(test, {
        ...common,
        scenario: scenarioFile(test, name, 'caller'),
        remote: `127.0.0.1:${rig.port}`,
        port: callerPort,
        keys: { contact_port: callerPort },
        args: [...KEYWORDS, '-t', 't1', '-r', String(RATE)],
      });
      await finished(test, name, rig, [caller, callee]);
    }),
  );
});
