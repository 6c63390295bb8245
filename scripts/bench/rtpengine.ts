import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { NgClient } from '../../gateway/media/rtpengine/ng-client.js';
import { freePort } from '../peers/free-port.js';
import { ended, minded } from './children.js';

const PROGRAM = '/usr/bin/rtpengine';
/** Each waits two seconds. */
const START_TRIES = 3;

/** A running rtpengine daemon in user space, for tests and as the reference of the relay's benchmark. */
export interface Rtpengine {
  readonly pid: number;
  /** Its port of the ng protocol, on the loopback. */
  readonly ngPort: number;
  readonly ng: NgClient;
  /** Sends an offer or an answer of a call; settles with the SDP that rtpengine made of it. Rejects when it refuses. */
  ask(command: 'offer' | 'answer', call: string, sdp: string): Promise<string>;
  stop(): Promise<void>;
}

export const hasRtpengine = (): boolean => existsSync(PROGRAM);

/** Starts rtpengine on the loopback. Rejects when it does not answer within 6 s. */
export async function startRtpengine(ports: { readonly from: number; readonly to: number }): Promise<Rtpengine> {
  const [ngPort, cliPort] = [await freePort(), await freePort()];
  const ng = await NgClient.open(
    systemClock(() => ({ trusted: true })),
    '127.0.0.1',
    ngPort,
  );
  const child = minded(
    spawn(
      PROGRAM,
      [
        // Debian's own has a port for HTTP, at which a second daemon would end.
        '--config-file=none',
        '--table=-1',
        '--interface=127.0.0.1',
        // Its console's own port is the same for every daemon, unless it is told otherwise.
        `--listen-cli=127.0.0.1:${cliPort}`,
        `--listen-ng=127.0.0.1:${ngPort}`,
        `--port-min=${ports.from}`,
        `--port-max=${ports.to}`,
        '--foreground',
        '--log-stderr',
        '--log-level=3',
      ],
      { stdio: 'ignore' },
    ),
  );
  const stop = async (): Promise<void> => {
    ng.close();
    await ended(child);
  };
  for (let tries = 0; (await ng.ask('ping')).result === 'failed'; tries++) {
    if (tries < START_TRIES) continue;
    await stop();
    throw new Error('rtpengine does not answer');
  }
  return {
    pid: child.pid ?? 0,
    ngPort,
    ng,
    ask: async (command, call, sdp) => {
      const tags = { 'from-tag': 'h', ...(command === 'answer' ? { 'to-tag': 't' } : {}) };
      const answer = await ng.ask(command, { 'call-id': call, ...tags, sdp });
      if (answer.result === 'failed') throw new Error(`rtpengine refused ${command}: ${answer.why}`);
      return String(answer.fields.sdp);
    },
    stop,
  };
}
