/** What the program takes to start, and what it takes of memory. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { Reading } from './figure.js';
import { BenchGateway } from './gateway.js';
import { Rig, sitePlace } from './rig.js';
import { TooBusy } from './too-busy.js';

const ASK_EVERY_MS = 5;
const GIVE_UP_MS = 20_000;
const CALLS_UP = 400;

const registerAt = (port: number, ownPort: number, tries: number): string =>
  [
    `REGISTER sip:127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${ownPort};branch=z9hG4bKstart${tries};rport`,
    'From: <sip:b0@balise>;tag=start',
    'To: <sip:b0@balise>',
    `Call-ID: start-${tries}`,
    'CSeq: 1 REGISTER',
    `Contact: <sip:b0@127.0.0.1:${ownPort}>`,
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');

/** From the start of the process to the first answer to a REGISTER, as a handset that keeps asking hears it. */
export async function measureStartUp(folder: string): Promise<Reading[]> {
  const place = await sitePlace({ folder });
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { cell } = place.ports;
  const fromMs = performance.now();
  const starting = BenchGateway.start(place.folder, true);
  let tries = 0;
  const asking = setInterval(() => {
    if (performance.now() - fromMs > GIVE_UP_MS) socket.emit('error', new Error('no answer to REGISTER within 20 s'));
    tries += 1;
    socket.send(registerAt(cell, socket.address().port, tries), cell, '127.0.0.1');
  }, ASK_EVERY_MS);
  try {
    await once(socket, 'message');
    const tookS = (performance.now() - fromMs) / 1_000;
    return [
      {
        id: 'start-up',
        title: 'start → first REGISTER answered, 10,000 rules',
        unit: 's',
        value: tookS,
        better: 'less',
        budget: { is: 'at most', value: 0.8 },
        reference: { text: 'Asterisk 0.84 s', measuredHere: false },
      },
    ];
  } finally {
    clearInterval(asking);
    socket.close();
    await (await starting).stop();
    await place.close();
  }
}

/** All our processes together, three seconds after the start and with 400 calls up. */
export async function measureMemory(folder: string): Promise<Reading[]> {
  const rig = await Rig.start({ folder, challenged: true });
  try {
    await wait(3_000);
    const idle = rig.gateway.memory();
    const going = await rig.place({ rate: 100, calls: CALLS_UP, talkMs: 6_000, patienceMs: 10_000 });
    await wait((CALLS_UP / 100) * 1_000 + 1_000);
    const up = rig.gateway.memory();
    const { failed } = await going.done();
    if (failed > 0) throw new TooBusy(`${failed} calls failed`);
    const reading = (id: string, title: string, budgetMb: number, text: string, of: typeof idle): Reading => ({
      id,
      title,
      unit: 'MB',
      value: of.mb,
      better: 'less',
      budget: { is: 'at most', value: budgetMb },
      reference: { text, measuredHere: false },
      detail: { sumOfResidentMb: of.sumOfResidentMb },
    });
    return [
      reading('memory.idle', 'memory idle, all our processes', 200, 'Asterisk 72, drachtio pair 85 MB', idle),
      reading('memory.calls', `memory with ${CALLS_UP} calls up`, 350, 'Asterisk 1,100, drachtio pair 600 MB', up),
    ];
  } finally {
    await rig.stop();
  }
}
