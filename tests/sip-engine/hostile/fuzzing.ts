/** Throws mutated messages at an engine with a real application on it: from the network both ways, and on the client port. */
import { type EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import Srf from 'drachtio-srf';
import { createEngine, type Engine } from '../../../gateway/sip-engine/engine.js';
import { readRecording } from '../recording.js';
import { request, route, SDP } from '../rig.js';
import { answerTo, isRequest, UdpPeer } from '../udp-peer.js';
import { Dice, mutated } from './mutator.js';

const SECRET = 'cymru';
const NAMES = ['b2b-call', 'b2b-auth-183', 'register', 'options', 'busy', 'cancel', 'answer-bye-by-app', 'no-ack'];
/** So many messages, and then a look whether everything still works. */
const BATCH = 200;
const METHODS = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'REGISTER',
  'INFO',
  'UPDATE',
  'PRACK',
  'REFER',
  'NOTIFY',
  'SUBSCRIBE',
];

/** All messages of the recorded conversations, and all frames of the application. */
export function corpus(): { readonly messages: readonly string[]; readonly frames: readonly string[] } {
  const frames = NAMES.flatMap((name) => readRecording(name));
  const messages = frames
    .filter(({ payload }) => payload.includes('SIP/2.0'))
    .map(({ payload }) => payload.slice(payload.indexOf('\r\n') + 2));
  return {
    messages: [...new Set(messages)],
    frames: frames.filter(({ from }) => from === 'application').map(({ payload }) => payload),
  };
}

/** The application: bridges every call, answers everything, and holds its dialogs as an application would. */
async function application(engine: Engine, calleePort: number): Promise<Srf> {
  const srf = new Srf();
  srf.on('error', () => undefined);
  const silent = (): undefined => undefined;
  srf.invite((req, res) => {
    srf.createB2BUA(req, res, `sip:x@127.0.0.1:${calleePort}`, { localSdpB: req.body || SDP }).then(({ uas, uac }) => {
      const end = (dialog: Srf.Dialog): void => void Promise.resolve(dialog.destroy()).catch(silent);
      uas.on('destroy', () => end(uac));
      uac.on('destroy', () => end(uas));
    }, silent);
  });
  for (const verb of ['register', 'options', 'message', 'subscribe', 'notify', 'refer', 'info', 'publish']) {
    route(srf, verb, (_req, res) => res.send(200));
  }
  const connected = once(srf as unknown as EventEmitter, 'connect');
  srf.connect({ host: '127.0.0.1', port: engine.client.port, secret: SECRET });
  await connected;
  return srf;
}

export interface FuzzOptions {
  readonly seed: number;
  /** Ends after so many messages, or when `until` says so, whichever comes first. */
  readonly messages: number;
  readonly until?: () => boolean;
  /** Told after each batch. */
  readonly onBatch?: (sent: number, status: Readonly<Record<string, number>>) => void;
}

export interface FuzzResult {
  readonly sent: number;
  readonly slowestLookMs: number;
  readonly status: Readonly<Record<string, number>>;
}

/** Runs; rejects when a proper request is no longer answered within 5 s. A crash of the engine or of drachtio-srf is one of this process. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const dice = new Dice(options.seed);
  const { messages, frames } = corpus();
  const engine = await createEngine({
    listeners: [{ name: 'cell', address: '127.0.0.1', port: 0, transports: ['udp', 'tcp'] }],
    client: { address: '127.0.0.1', port: 0, secret: SECRET },
    timers: { t1Ms: 20, t2Ms: 160, t4Ms: 200 },
    limits: {
      ratePerAddress: 100_000,
      otherRatePerAddress: 100_000,
      refusalsPerAddress: 100_000,
      finishedPerAddress: 500,
      openPerAddress: 500,
    },
  });
  const port = engine.listeners[0]?.port ?? 0;
  const [caller, callee, looker] = await Promise.all([UdpPeer.open(), UdpPeer.open(), UdpPeer.open()]);
  // The callee answers what comes with answers that are nearly right, so that they reach the machines behind the parser.
  callee.socket.on('message', (data) => {
    const text = data.toString('latin1');
    if (text.startsWith('SIP/2.0')) return;
    const status = dice.one([
      '100 Trying',
      '180 Ringing',
      '183 Session Progress',
      '200 OK',
      '407 Proxy',
      '486 Busy',
      '302 Moved',
    ]);
    const more = [`Contact: <sip:x@127.0.0.1:${callee.port}>`, 'Content-Type: application/sdp'];
    const reliable = dice.below(8) === 0 ? ['Require: 100rel', 'RSeq: 1'] : [];
    const answer = answerTo(text, status, [...more, ...reliable], `t${dice.below(3)}`, SDP);
    callee.send(dice.below(3) === 0 ? answer : mutated(answer, dice, messages), port);
  });
  const srf = await application(engine, callee.port);
  let client: Socket | undefined;
  let stream: Socket | undefined;
  const open = (to: number): Socket =>
    connect(to, '127.0.0.1')
      .on('error', () => undefined)
      .unref();
  const sendOne = (): void => {
    const way = dice.below(20);
    if (way === 0) {
      // The client port: authenticated by a proper frame first, now and then.
      if (client === undefined || client.destroyed) {
        client = open(engine.client.port);
        client.resume();
        client.write(`${`a|authenticate|${SECRET}|`.length}#a|authenticate|${SECRET}|`);
      }
      const payload = mutated(dice.one(frames), dice, frames).replaceAll('|route|', '|ping|');
      client.write(dice.below(50) === 0 ? payload : `${payload.length}#${payload}`, 'latin1');
      return;
    }
    if (way === 1) {
      if (stream === undefined || stream.destroyed) stream = open(port).resume();
      stream.write(mutated(dice.one(messages), dice, messages), 'latin1');
      return;
    }
    if (way < 8) {
      caller.send(mutated(dice.one(messages), dice, messages).slice(0, 60_000), port);
      return;
    }
    const callId = `fuzz-${dice.below(30)}`;
    const known = caller.received.findLast((text) => text.includes(`Call-ID: ${callId}\r\n`) && text.includes(';tag='));
    const to = dice.below(2) === 0 && known ? /\r\nTo: ([^\r]*)/.exec(known)?.[1] : undefined;
    const text = request(dice.one(METHODS), caller, port, {
      callId,
      fromTag: `f${dice.below(3)}`,
      cseq: 1 + dice.below(20),
      body: dice.below(3) === 0 ? '' : SDP,
      ...(to !== undefined && { to }),
      ...(dice.below(4) === 0 && {
        more: ['RAck: 1 1 INVITE', 'Session-Expires: 90;refresher=uac', 'Supported: timer, 100rel'],
      }),
    });
    caller.send(dice.below(3) === 0 ? text : mutated(text, dice, messages).slice(0, 60_000), port);
  };
  let sent = 0;
  let slowestLookMs = 0;
  try {
    while (sent < options.messages && options.until?.() !== true) {
      for (let at = 0; at < BATCH; at++, sent++) sendOne();
      for (const text of callee.received.filter(isRequest('BYE'))) callee.send(answerTo(text, '200 OK'), port);
      const fromMs = performance.now();
      looker.send(request('OPTIONS', looker, port, { callId: `look-${sent}` }), port);
      await looker.next((text) => text.includes(`look-${sent}\r\n`));
      slowestLookMs = Math.max(slowestLookMs, performance.now() - fromMs);
      for (const peer of [caller, callee, looker]) peer.forget(200);
      options.onBatch?.(sent, engine.status());
    }
    return { sent, slowestLookMs, status: engine.status() };
  } finally {
    client?.destroy();
    stream?.destroy();
    srf.disconnect();
    await engine.close();
    for (const peer of [caller, callee, looker]) peer.close();
  }
}
