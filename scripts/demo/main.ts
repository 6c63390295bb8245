/**
 * `npm start`: the demo site, whole. The gateway is the real program with real processes; around it stand a simulated
 * relay board, a simulated carrier, simulated handsets and a broker for headquarters. A short day of calls is told as it
 * happens, and a working day of two people; then everything stays up until Ctrl-C.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readBootId, systemClock } from '../../gateway/clock/system-clock.js';
import { startDemoBroker } from '../headquarters/demo-broker.js';
import { Receiver } from '../headquarters/receiver.js';
import { sendCommand } from '../headquarters/send-command.js';
import { newCommand } from '../headquarters/sign-command.js';
import { startBoard } from '../simulators/board.js';
import { startCarrier } from '../simulators/carrier.js';
import { SimulatedHandset } from '../simulators/handset.js';
import { openSipParty } from '../simulators/sip-party.js';
import { runDay } from './day.js';
import { GatewayChild } from './gateway-child.js';
import { tellEvent, tellState } from './headquarters-story.js';
import { closedNow } from './numbers.js';
import { makeDemoSite } from './site.js';
import { Story } from './story.js';
import { Heard, runWorkDay } from './work-day.js';
import { prepareWork } from './work-site.js';

const HELP = `Usage: npm start [-- --once]
       npm start -- --config <site folder>

Runs the demo site: the gateway, simulated peers, and a short day of calls; then stays up for a soft phone.

  --once              end after the scripted day
  --no-day            no scripted day: the site comes up, for a soft phone
  --config <folder>   run a real site instead, with nothing simulated
  --help              this text
`;

const LOOPBACK = '127.0.0.1';
const REALM = 'balise';
const SOFT_PHONE = { user: 'b202', password: 'demo-b202' };
const ALLOWED = '+442079460001';
const UNSANCTIONED = '+442079461234';

function readArguments(): { once: boolean; hasDay: boolean } {
  try {
    const { values } = parseArgs({
      options: { once: { type: 'boolean' }, 'no-day': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help === true) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    return { once: values.once === true, hasDay: values['no-day'] !== true };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    process.exit(64);
  }
}

/** Settles when it is closed; one that never listened is. */
const closed = (one: { close(done: () => void): unknown }): Promise<void> =>
  new Promise((resolve) => one.close(resolve));

/** The port, if nobody has it, UDP or TCP; else 0, for one from the kernel. */
async function portOrAny(port: number): Promise<number> {
  const socket = createSocket('udp4');
  const server = createServer();
  try {
    socket.bind(port, LOOPBACK);
    await once(socket, 'listening');
    server.listen(port, LOOPBACK);
    await once(server, 'listening');
    return port;
  } catch {
    return 0;
  } finally {
    await Promise.all([closed(socket), closed(server)]);
  }
}

async function main(): Promise<void> {
  const { once: isOnce, hasDay } = readArguments();
  const story = new Story();
  const clock = systemClock(() => ({ trusted: true }));
  const undo: (() => unknown)[] = [];
  const cleanUp = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  let ending: Promise<void> | undefined;
  const end = (code: number): void => {
    ending ??= cleanUp().then(() => process.exit(code));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      story.plain('\nStopping: calls are ended, relays opened.');
      end(0);
    });
  }

  try {
    story.scene('Balise: the demo site');
    const broker = await startDemoBroker();
    undo.push(() => broker.close());
    const board = await startBoard({ port: 0 });
    undo.push(() => board.close());
    board.onRelay((relay, isConnected) =>
      story.tell('line', `relay ${relay} ${isConnected ? 'closes: the pair is connected' : 'opens: the pair is cut'}`),
    );
    const carrierParty = await openSipParty(LOOPBACK);
    undo.push(() => carrierParty.close());
    const carrier = startCarrier(carrierParty, 400);
    undo.push(() => carrier.close());
    const handsetParty = await openSipParty(LOOPBACK);
    undo.push(() => handsetParty.close());
    const site = await makeDemoSite({
      broker: broker.port,
      board: board.port,
      carrier: carrierParty.port,
      cell: await portOrAny(5060),
      console: await portOrAny(8080),
    });
    undo.push(() => rmSync(site.folder, { recursive: true, force: true }));
    story.tell('demo', `a board, a carrier and a broker are simulated on ${LOOPBACK}; the site is ${site.folder}`);

    await prepareWork(site.folder, story);
    const heard = new Heard();
    const receiver = new Receiver({
      url: broker.url,
      onEvent: (event) => {
        tellEvent(story, event);
        heard.take(event);
      },
      onState: (topic, message) => tellState(story, topic, message),
    });
    await receiver.start();
    undo.push(() => receiver.stop());
    const logFile = join(site.folder, 'gateway.log');
    const gateway = new GatewayChild(site.folder, logFile);
    undo.push(() => gateway.stop());
    const { cellPort, consolePort, firstLink } = await gateway.facts;
    void gateway.exited.then((code) => {
      if (ending !== undefined) return;
      story.tell('demo', `the gateway ended by itself with status ${code}`);
      end(1);
    });
    story.tell('gateway', `ready: SIP for the cells on ${LOOPBACK}:${cellPort} (boot ${readBootId().slice(0, 8)})`);

    const handset = (id: string, input: number) => {
      const user = id.replace('-', '');
      const account = { user, password: `demo-${user}`, realm: REALM };
      return {
        id,
        sip: new SimulatedHandset(handsetParty, account, `${LOOPBACK}:${cellPort}`),
        hook: async (off: boolean) => {
          board.setHook(input, off);
          // The agent polls the board every 50 ms; a person takes longer than this to key a number.
          await new Promise((resolve) => setTimeout(resolve, 400));
        },
      };
    };
    const caller = handset('a-101', 0);
    const atDesks = { ankara: handset('a-102', 1), brussels: handset('b-201', 3) };
    const short = handset('a-103', 2);
    for (const one of [caller, short, ...Object.values(atDesks)]) {
      const status = await one.sip.register();
      story.tell('handset', `${one.id} registers: ${status}`);
      if (status !== 200) throw new Error(`${one.id} could not register`);
    }
    const scripted = async (): Promise<void> => {
      const closed = await closedNow(site.folder, clock.wall());
      await runDay({
        story,
        caller,
        short,
        numbers: { allowed: ALLOWED, closed: closed.number, closedWhere: closed.where, unsanctioned: UNSANCTIONED },
        cut: (id) =>
          sendCommand({
            url: broker.url,
            key: site.commandKey,
            clock,
            command: newCommand(clock, 'demo/gw-1', {
              type: 'cutoff',
              target: { kind: 'handset', handset: id },
              reason: 'the demo shows a cutoff',
              by: 'headquarters',
              hold: 10_000,
            }),
          }),
      });
      await runWorkDay({ story, clock, site: site.folder, heard, handsets: atDesks });
    };
    if (hasDay) await scripted();

    story.scene(hasDay ? 'The day is over; the site stays up' : 'The site is up');
    story.plain(
      `  soft phone     user ${SOFT_PHONE.user}, password ${SOFT_PHONE.password}, domain ${REALM}, proxy ${LOOPBACK}:${cellPort} (UDP or TCP), codec G.711`,
    );
    story.plain(`                 dial ${ALLOWED} (answered by the simulated carrier) or ${UNSANCTIONED} (refused)`);
    story.plain(`  the console    ${firstLink ?? `http://${LOOPBACK}:${consolePort}/`}`);
    story.plain('                 (the link is good once: it makes you the first administrator)');
    story.plain(
      '  a new cell     "New cell" in the console adds a handset, gives it a phone, and watches its first call',
    );
    story.plain(`  command line   npx balise status --site ${site.folder}`);
    story.plain(`  gateway's log  ${logFile}`);
    story.plain('  Ctrl-C ends everything.');
    if (isOnce) end(0);
  } catch (error) {
    story.tell('demo', `the demo failed: ${error instanceof Error ? error.message : error}`);
    end(1);
  }
}

await main();
