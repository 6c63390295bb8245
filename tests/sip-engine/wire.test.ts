import t, { type Test } from 'tap';
import { createEngine, type Engine } from '../../gateway/sip-engine/engine.js';
import { type Frame, readRecording } from './recording.js';
import { Replayer } from './replayer.js';
import { request } from './rig.js';
import { isResponse } from './udp-peer.js';

/** T1 of 20 ms: 64·T1 is 1.28 s, and whatever takes 32 s in the recordings takes that. */
const QUICK = { t1Ms: 20, t2Ms: 160, t4Ms: 200 };

async function startEngine(timers: typeof QUICK | undefined): Promise<Engine> {
  return createEngine({
    listeners: [{ name: 'cell', address: '127.0.0.1', port: 0, transports: ['udp', 'tcp'] }],
    client: { address: '127.0.0.1', port: 0, secret: 'cymru' },
    ...(timers && { timers }),
  });
}

async function replayed(
  test: Test,
  frames: readonly Frame[],
  options: { readonly closed?: readonly number[]; readonly timers?: typeof QUICK } = {},
): Promise<Replayer> {
  const engine = await startEngine(options.timers);
  const replayer = await Replayer.connect(engine);
  test.teardown(async () => {
    replayer.close();
    await engine.close();
  });
  await replayer.prepare(frames, options.closed);
  await replayer.play(frames);
  for (const { recorded, live } of replayer.differences) test.equal(live, recorded);
  test.same(replayer.surplus, [], 'the engine says nothing more');
  return replayer;
}

const CALLS = ['b2b-call', 'b2b-auth-183', 'register', 'options', 'busy', 'cancel', 'answer-bye-by-app'];
for (const name of CALLS) {
  t.test(`the conversation ${name} goes as it went with the recorded server`, async (test) => {
    const frames = readRecording(name);
    test.ok(frames.length > 4, 'the recording is there');
    await replayed(test, frames);
  });
}

t.test('the conversation dead goes as recorded: a closed port is a 503 from nowhere', async (test) => {
  await replayed(test, readRecording('dead'), { closed: [5099] });
});

t.test(
  'the conversation no-ack goes as recorded: BYE, notice, and 408 for the BYE that nobody answers',
  async (test) => {
    await replayed(test, readRecording('no-ack'), { timers: QUICK });
  },
);

t.test('a repeated INVITE gets the last answer again, and the application sees one', async (test) => {
  const frames = readRecording('retrans');
  const replayer = await replayed(test, frames);
  const invite = frames.find((frame) => frame.payload.includes('\r\nINVITE '))?.payload ?? '';
  const message = invite.slice(invite.indexOf('\r\n') + 2).replace(/;rport=\d+/, '');
  const peer = await replayer.peer(5071);
  const first = await peer.next(isResponse(486));
  peer.send(replayer.live(message), replayer.enginePort);
  test.equal(await peer.next(isResponse(486)), first);
  test.same(replayer.surplus, []);
});

t.test(
  'the conversations malformed and unknown-dialog: the network is answered, the application hears nothing',
  async (test) => {
    for (const [name, told] of [
      ['malformed', [400, 505]],
      ['unknown-dialog', [481]],
    ] as const) {
      const frames = readRecording(name);
      test.ok(frames.length > 2, 'the recording is there');
      const replayer = await replayed(test, frames);
      const peer = await replayer.peer(5077);
      const messages = {
        malformed: [
          'noise',
          '\r\n\r\n',
          request('OPTIONS', peer, replayer.enginePort).replace(/Via: [^\r]*\r\n/, ''),
          request('OPTIONS', peer, replayer.enginePort, { cseqMethod: 'INVITE' }),
          request('OPTIONS', peer, replayer.enginePort, { version: 'SIP/3.0' }),
        ],
        'unknown-dialog': [request('BYE', peer, replayer.enginePort, { to: '<sip:x@127.0.0.1>;tag=nobody' })],
      }[name];
      for (const message of messages) peer.send(message, replayer.enginePort);
      for (const status of told) await peer.next(isResponse(status));
      test.equal(peer.received.length, told.length, `${name}: no other is answered`);
      test.same(replayer.surplus, [], `${name}: the application hears nothing`);
    }
  },
);
