import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../../clock/clock.js';
import { SealedFile } from './sealed-file.js';
import { type Channel, TwoChannels, waveHeader } from './two-channels.js';

const LOOPBACK = '127.0.0.1';
const WRITE_MS = 100;
export const RECORDING_ENDING = '.wav.age';

export interface RecorderOptions {
  readonly clock: Clock;
  readonly folder: string;
  /** Headquarters' public key, age1…. */
  readonly recipient: string;
  /** What the disk must keep free for calls, bytes: below it nothing is recorded. */
  readonly reserveBytes: number;
  /** The disk's free bytes; default: what the system says of the folder. */
  readonly freeBytes?: () => Promise<number>;
  /** What people are to look at: `recording.disk-full`, `recording.fault`. */
  readonly onAlarm: (code: string, detail: string) => void;
}

/** Where the relay is to copy a call's streams to. */
export interface TapPorts {
  readonly address: string;
  readonly handsetPort: number;
  readonly trunkPort: number;
}

interface Recording {
  readonly file: SealedFile;
  readonly sound: TwoChannels;
  readonly sockets: readonly Socket[];
  timer: Timer | undefined;
  /** The last write, which the next waits for. */
  writing: Promise<void>;
  isOver: boolean;
}

/** Records calls from copies of their streams. It never holds up a call: what fails here ends the recording alone, and is told. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #recordings = new Map<string, Recording>();

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  get active(): number {
    return this.#recordings.size;
  }

  /** Begins a recording, to be called only under a warrant; settles with the ports for its copies, or with undefined when it cannot be. */
  async begin(call: string): Promise<TapPorts | undefined> {
    if (this.#recordings.has(call) || !(await this.#hasRoom())) return undefined;
    try {
      const file = await SealedFile.create(
        join(this.#options.folder, `${call}${RECORDING_ENDING}`),
        this.#options.recipient,
      );
      const sound = new TwoChannels(this.#nowMs());
      const [handset, trunk] = [await this.#ear(sound, 'handset'), await this.#ear(sound, 'trunk')];
      const recording: Recording = {
        file,
        sound,
        sockets: [handset, trunk],
        timer: undefined,
        writing: file.write(waveHeader()),
        isOver: false,
      };
      this.#recordings.set(call, recording);
      this.#plan(call, recording);
      return { address: LOOPBACK, handsetPort: handset.address().port, trunkPort: trunk.address().port };
    } catch (error) {
      this.#options.onAlarm('recording.fault', `a call is not recorded: ${String(error)}`);
      return undefined;
    }
  }

  /** Ends a recording; settles when it is sealed and on the disk. Harmless for a call that is not recorded. */
  async end(call: string): Promise<void> {
    const recording = this.#recordings.get(call);
    if (recording === undefined || recording.isOver) return;
    recording.isOver = true;
    recording.timer?.cancel();
    for (const socket of recording.sockets) socket.close();
    try {
      await recording.writing;
      await recording.file.write(recording.sound.drain(this.#nowMs(), true));
      await recording.file.close();
    } catch (error) {
      this.#options.onAlarm('recording.fault', `a recording broke off: ${String(error)}`);
    }
    this.#recordings.delete(call);
  }

  /** Ends all that is being recorded. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#recordings.keys()].map((call) => this.end(call)));
  }

  #plan(call: string, recording: Recording): void {
    recording.timer = this.#options.clock.after(WRITE_MS, () => {
      const due = recording.sound.drain(this.#nowMs());
      recording.writing = recording.writing.then(() => recording.file.write(due));
      recording.writing.then(
        async () => {
          if (recording.isOver) return;
          if (await this.#hasRoom()) this.#plan(call, recording);
          // Recordings go before calls do.
          else await this.endAll();
        },
        () => void this.end(call),
      );
    });
  }

  async #hasRoom(): Promise<boolean> {
    const { folder, reserveBytes, onAlarm, freeBytes } = this.#options;
    const read = freeBytes ?? (() => statfs(folder).then(({ bavail, bsize }) => bavail * bsize));
    let free = 0;
    try {
      free = await read();
    } catch (error) {
      onAlarm('recording.fault', `the disk does not tell what is free: ${String(error)}`);
      return false;
    }
    if (free >= reserveBytes) return true;
    onAlarm(
      'recording.disk-full',
      `${free} bytes are free, of ${reserveBytes} that are kept for calls: nothing is recorded`,
    );
    return false;
  }

  async #ear(sound: TwoChannels, channel: Channel): Promise<Socket> {
    const socket = createSocket('udp4');
    socket.bind(0, LOOPBACK);
    await once(socket, 'listening');
    socket.on('message', (packet) => sound.put(channel, packet, this.#nowMs()));
    return socket;
  }

  #nowMs(): number {
    return Number(this.#options.clock.monotonicNs() / 1_000n) / 1_000;
  }
}
