import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { EngineControl, type LostDialog } from '../../../gateway/sip-engine/control/client.js';
import type { EngineConfig } from '../../../gateway/sip-engine/engine.js';
import { openPeer, QUICK, type Rig, SECRET, startRig } from '../rig.js';
import { bridge, placeCall } from '../two-legs.js';
import { answerTo, headerOf, isRequest, isResponse, type UdpPeer } from '../udp-peer.js';

/** The claim is that calls end at their instant without the application; a machine under load may take this long over it, milliseconds. */
const GENEROUS_MS = 2_000;

interface ControlledRig extends Rig {
  readonly control: EngineControl;
  readonly socket: string;
  readonly caller: UdpPeer;
  readonly callee: UdpPeer;
  readonly dialogsOf: Promise<[string, string]>;
}

/** A rig with a bridging application, two peers and a control client. */
async function controlled(test: Test, config: Partial<EngineConfig> = {}): Promise<ControlledRig> {
  const folder = mkdtempSync(join(tmpdir(), 'balise-engine-'));
  test.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, 'engine.sock');
  const callee = await openPeer(test);
  const caller = await openPeer(test);
  let up: (ids: [string, string]) => void = () => undefined;
  const dialogsOf = new Promise<[string, string]>((resolve) => {
    up = resolve;
  });
  const rig = await startRig(test, (srf) => bridge(srf, () => callee.port, up), {
    control: { socket, secret: SECRET },
    ...config,
  });
  const control = await EngineControl.connect(socket, SECRET);
  test.teardown(() => control.close());
  return { ...rig, control, socket, caller, callee, dialogsOf };
}

async function answerByes(rig: ControlledRig): Promise<void> {
  for (const peer of [rig.caller, rig.callee])
    peer.send(answerTo(await peer.next(isRequest('BYE')), '200 OK'), rig.port);
}

t.test('a wrong secret is shown the door, and a line that is no order is said to be none', async (test) => {
  const { socket } = await controlled(test);
  await test.rejects(EngineControl.connect(socket, 'another'));
  const bare = connect(socket);
  bare.write('{"do":"status","id":1}\n');
  await new Promise<void>((resolve) => bare.once('close', () => resolve()));
});

t.test('a dialog ends at its instant, by itself, and everybody is told', async (test) => {
  const rig = await controlled(test);
  const legs = await placeCall(rig, rig.caller, rig.callee);
  test.same(await rig.dialogsOf, [legs.callerDialog, legs.calleeDialog], "the application's names for the dialogs");
  const told: [string, number][] = [];
  rig.control.onDeadline((dialog, lateMs) => told.push([dialog, lateMs]));
  const atNs = process.hrtime.bigint() + 150_000_000n;
  for (const dialog of [legs.callerDialog, legs.calleeDialog]) {
    test.same(await rig.control.deadline(dialog, atNs), { ok: true });
  }
  const [first, second] = await Promise.all([rig.caller.next(isRequest('BYE')), rig.callee.next(isRequest('BYE'))]);
  const seenAtNs = rig.caller.receivedAtNs.at(-1) ?? 0n;
  test.match(headerOf(first, 'Reason'), /deadline/);
  test.ok(seenAtNs >= atNs, 'never early');
  // The safety claim; the bench has the sharp figure.
  test.ok(Number(seenAtNs - atNs) / 1e6 < GENEROUS_MS, `${Number(seenAtNs - atNs) / 1e6} ms late`);
  rig.caller.send(answerTo(first, '200 OK'), rig.port);
  rig.callee.send(answerTo(second, '200 OK'), rig.port);
  while ((await rig.control.status())?.dialogs !== 0) await new Promise<void>((resolve) => setImmediate(resolve));
  test.same(told.map(([dialog]) => dialog).sort(), [legs.callerDialog, legs.calleeDialog].sort());
  test.ok(told.every(([, lateMs]) => lateMs >= 0 && lateMs < GENEROUS_MS));
});

t.test('an instant that has passed ends the dialog at once', async (test) => {
  const rig = await controlled(test);
  const legs = await placeCall(rig, rig.caller, rig.callee);
  await rig.control.deadline(legs.callerDialog, process.hrtime.bigint() - 1n);
  // The application hears of the caller's end and ends the callee's leg itself.
  await answerByes(rig);
});

t.test('a second instant may bring the end closer and never put it off', async (test) => {
  const rig = await controlled(test);
  const legs = await placeCall(rig, rig.caller, rig.callee);
  const nowNs = process.hrtime.bigint();
  await rig.control.deadline(legs.callerDialog, nowNs + 60_000_000_000n);
  await rig.control.deadline(legs.callerDialog, nowNs + 100_000_000n);
  test.same(await rig.control.deadline(legs.callerDialog, nowNs + 60_000_000_000n), { ok: true }, 'heard, and ignored');
  await answerByes(rig);
  test.ok(process.hrtime.bigint() < nowNs + 30_000_000_000n);
});

t.test('a deadline for a dialog that is not there is refused', async (test) => {
  const rig = await controlled(test);
  test.same(await rig.control.deadline('nobody', 1n), { ok: false, why: 'no such dialog' });
});

// How soon is measured by the benchmark of the cutoff; here the bound is what a loaded machine keeps too.
t.test(
  '200 dialogs that end at one instant all get their BYE by the engine alone, none early and none forgotten',
  async (test) => {
    const rig = await controlled(test);
    const calls = 100;
    const dialogs: string[] = [];
    for (let call = 0; call < calls; call++) {
      const legs = await placeCall(rig, rig.caller, rig.callee);
      dialogs.push(legs.callerDialog, legs.calleeDialog);
    }
    rig.control.onLost((why) => test.fail(why));
    const atNs = process.hrtime.bigint() + 300_000_000n;
    await Promise.all(dialogs.map((dialog) => rig.control.deadline(dialog, atNs)));
    const late: number[] = [];
    for (const peer of [rig.caller, rig.callee]) {
      for (let call = 0; call < calls; call++) {
        const bye = await peer.next(isRequest('BYE'));
        late.push(Number((peer.receivedAtNs[peer.received.indexOf(bye)] ?? 0n) - atNs) / 1e6);
        peer.send(answerTo(bye, '200 OK'), rig.port);
      }
    }
    late.sort((a, b) => a - b);
    test.ok((late[0] ?? 0) >= 0, `the first came ${late[0]} ms after the instant`);
    test.equal(late.length, 2 * calls);
    test.ok((late.at(-1) ?? 0) <= GENEROUS_MS, `the last came ${late.at(-1)} ms after the instant`);
  },
);

t.test('with a guard, the loss of the control connection ends every call, and none begins', async (test) => {
  const rig = await controlled(test, { guard: true });
  await placeCall(rig, rig.caller, rig.callee);
  rig.control.close();
  await answerByes(rig);
  rig.caller.send(
    `INVITE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${rig.caller.port};branch=z9hG4bKunwatched\r\n` +
      'From: <sip:a@127.0.0.1>;tag=a\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: unwatched\r\nCSeq: 1 INVITE\r\n' +
      `Contact: <sip:a@127.0.0.1:${rig.caller.port}>\r\nContent-Length: 0\r\n\r\n`,
    rig.port,
  );
  await rig.caller.next(isResponse(503, 'INVITE'));
  const again = await EngineControl.connect(rig.socket, SECRET);
  const legs = await placeCall(rig, rig.caller, rig.callee);
  test.ok(legs, 'watched again, calls go through again');
  again.close();
  await answerByes(rig);
});

t.test('with a guard, 2 s of silence on the control connection end every call', async (test) => {
  const rig = await controlled(test, { guard: true });
  rig.control.close();
  const hung = connect(rig.socket);
  test.teardown(() => hung.destroy());
  hung.write(`${JSON.stringify({ do: 'hello', secret: SECRET })}\n`);
  await new Promise<void>((resolve) => hung.once('data', () => resolve()));
  await placeCall(rig, rig.caller, rig.callee);
  const fromNs = process.hrtime.bigint();
  await answerByes(rig);
  const afterMs = Number(process.hrtime.bigint() - fromNs) / 1e6;
  test.ok(afterMs < 2_500, `the legs were told after ${afterMs} ms`);
});

t.test('without a guard, or for an observer, the end of the control connection ends nothing', async (test) => {
  const rig = await controlled(test, { guard: true });
  await placeCall(rig, rig.caller, rig.callee);
  const observer = await EngineControl.connect(rig.socket, SECRET, { observer: true });
  test.equal((await observer.status())?.dialogs, 2);
  observer.close();
  test.equal((await rig.control.status())?.dialogs, 2);
  test.same(await rig.control.endAll('enough'), { ok: true });
  await answerByes(rig);
});

t.test('a BYE of the application after the deadline joins the one that is on its way', async (test) => {
  const rig = await controlled(test);
  const legs = await placeCall(rig, rig.caller, rig.callee);
  await rig.control.deadline(legs.calleeDialog, 0n);
  const bye = await rig.callee.next(isRequest('BYE'));
  const joined = new Promise<number>((resolve, reject) => {
    type Sent = { on(event: 'response', tell: (res: { readonly status: number }) => void): void };
    type InDialog = { readonly uri: string; readonly method: string; readonly stackDialogId: string };
    const send = rig.srf.request.bind(rig.srf) as unknown as (
      order: InDialog,
      told: (error: Error | null, sent: Sent) => void,
    ) => void;
    send({ uri: 'sip:placeholder', method: 'BYE', stackDialogId: legs.calleeDialog }, (error, sent) => {
      if (error) reject(error);
      else sent.on('response', (res) => resolve(res.status));
    });
  });
  // Answered once the application's BYE has reached the engine, which its echo to nobody else can tell.
  setImmediate(() => rig.callee.send(answerTo(bye, '200 OK'), rig.port));
  const outcome = await joined.catch((error: { code?: string }) => error.code);
  test.ok(outcome === 200 || outcome === 'ENODIALOG', `it is told at once: ${outcome}`);
  test.equal(rig.callee.received.filter(isRequest('BYE')).length, 1, 'and the callee sees one BYE');
  rig.caller.send(answerTo(await rig.caller.next(isRequest('BYE')), '200 OK'), rig.port);
});

/** A dialog of an engine that was killed, as the journal knows it. */
function lost(rig: ControlledRig, more: Partial<LostDialog> = {}): LostDialog {
  return {
    state: 'confirmed',
    dialogId: 'gone;from-tag=ours',
    callId: 'gone',
    localUri: `sip:us@127.0.0.1:${rig.port}`,
    localTag: 'ours',
    remoteUri: 'sip:callee@127.0.0.1',
    remoteTag: 'theirs',
    remoteTarget: `sip:callee@127.0.0.1:${rig.callee.port}`,
    routeSet: [],
    cseq: 41,
    branch: 'z9hG4bKgone',
    transport: 'udp',
    address: '127.0.0.1',
    port: rig.callee.port,
    ...more,
  };
}

t.test('the BYE that a killed engine owed is sent, and its answer told', async (test) => {
  const rig = await controlled(test);
  const restored = rig.control.restore(lost(rig, { routeSet: [`<sip:127.0.0.1:${rig.caller.port};lr>`] }));
  const bye = await rig.caller.next(isRequest('BYE'));
  test.match(
    bye,
    new RegExp(`^BYE sip:callee@127.0.0.1:${rig.callee.port} `),
    'the target is the callee, the way the route',
  );
  test.equal(headerOf(bye, 'CSeq'), '10042 BYE', 'above whatever has refreshed the session since');
  test.equal(headerOf(bye, 'From'), `<sip:us@127.0.0.1:${rig.port}>;tag=ours`);
  test.equal(headerOf(bye, 'To'), '<sip:callee@127.0.0.1>;tag=theirs');
  test.equal(headerOf(bye, 'Route'), `<sip:127.0.0.1:${rig.caller.port};lr>`);
  rig.caller.send(answerTo(bye, '481 Call/Transaction Does Not Exist'), rig.port);
  test.same(await restored, { ok: true, status: 481 });
});

t.test('what a peer asks of such a BYE is told, and the proof goes with the next one', async (test) => {
  const rig = await controlled(test);
  const target = lost(rig).remoteTarget;
  const restored = rig.control.restore(lost(rig));
  const bye = await rig.callee.next(isRequest('BYE'));
  const asked = ['Digest realm="a", nonce="1"', 'Digest realm="a", nonce="2", algorithm=SHA-256'];
  rig.callee.send(
    answerTo(
      bye,
      '407 Proxy Authentication Required',
      asked.map((value) => `Proxy-Authenticate: ${value}`),
    ),
    rig.port,
  );
  const challenged = { header: 'Proxy-Authenticate', value: asked.join(', '), uri: target } as const;
  test.same(await restored, { ok: true, status: 407, challenged });
  const proof = { header: 'Proxy-Authorization', value: 'Digest username="us"' } as const;
  const again = rig.control.restore(lost(rig, { cseq: 42 }), proof);
  const proven = await rig.callee.next(isRequest('BYE'));
  test.equal(headerOf(proven, 'Proxy-Authorization'), proof.value);
  test.equal(headerOf(proven, 'CSeq'), '10043 BYE');
  rig.callee.send(answerTo(proven, '200 OK'), rig.port);
  test.same(await again, { ok: true, status: 200 });
});

t.test('a restored dialog whose peer is silent is declared dead: 408', async (test) => {
  const rig = await controlled(test, { timers: QUICK });
  test.same(await rig.control.restore(lost(rig)), { ok: true, status: 408 });
});

t.test('an INVITE that a killed engine left ringing is cancelled by its branch', async (test) => {
  const rig = await controlled(test);
  const restored = rig.control.restore(lost(rig, { state: 'early', remoteTag: '' }));
  const cancel = await rig.callee.next(isRequest('CANCEL'));
  test.match(headerOf(cancel, 'Via'), /branch=z9hG4bKgone$/);
  test.equal(headerOf(cancel, 'CSeq'), '41 CANCEL');
  rig.callee.send(answerTo(cancel, '200 OK'), rig.port);
  rig.callee.send(answerTo(cancel, '487 Request Terminated').replace('41 CANCEL', '41 INVITE'), rig.port);
  const ack = await rig.callee.next(isRequest('ACK'));
  test.equal(headerOf(ack, 'CSeq'), '41 ACK');
  test.same(await restored, { ok: true, status: 200 });
});

t.test('a callee that answers a cancelled INVITE of a killed engine gets ACK and BYE', async (test) => {
  const rig = await controlled(test);
  const restored = rig.control.restore(lost(rig, { state: 'early', remoteTag: '' }));
  const cancel = await rig.callee.next(isRequest('CANCEL'));
  const contact = [`Contact: <sip:callee@127.0.0.1:${rig.callee.port}>`];
  rig.callee.send(answerTo(cancel, '200 OK', contact).replace('41 CANCEL', '41 INVITE'), rig.port);
  await rig.callee.next(isRequest('ACK'));
  const bye = await rig.callee.next(isRequest('BYE'));
  test.equal(headerOf(bye, 'CSeq'), '42 BYE');
  rig.callee.send(answerTo(bye, '200 OK'), rig.port);
  rig.callee.send(answerTo(cancel, '200 OK'), rig.port);
  test.same(await restored, { ok: true, status: 200 });
});
