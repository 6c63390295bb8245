import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.js';
import { CallEars, type TapPorts } from '../copies/call-ears.js';
import { waveHeader } from '../copies/wave.js';
import { SealedFile } from './sealed-file.js';

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

interface Recording {
  readonly file: SealedFile;
  readonly ears: CallEars;
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

  /**
   * Begins a recording, to be called only under a warrant; settles with the ports for its copies, or with undefined when it
   * cannot be. `brokenOff`: it cannot go on, and is to be ended.
   */
  async begin(call: string, brokenOff: () => void): Promise<TapPorts | undefined> {
    if (this.#recordings.has(call) || !(await this.#hasRoom())) return undefined;
    const { clock, folder, recipient } = this.#options;
    let file: SealedFile | undefined;
    try {
      file = await SealedFile.create(join(folder, `${call}${RECORDING_ENDING}`), recipient);
      const ears = await CallEars.open(clock, (sound) => this.#write(recording, sound, brokenOff));
      const recording: Recording = {
        file,
        ears,
        writing: file.write(waveHeader({ encoding: 'alaw', channels: 2 })),
        isOver: false,
      };
      this.#recordings.set(call, recording);
      return ears.ports;
    } catch (error) {
      this.#options.onAlarm('recording.fault', `a call is not recorded: ${String(error)}`);
      // What went wrong has been told; the empty file is erased with the others.
      await file?.close().catch(() => undefined);
      return undefined;
    }
  }

  /** Ends a recording; settles when it is sealed and on the disk. Harmless for a call that is not recorded. */
  async end(call: string): Promise<void> {
    const recording = this.#recordings.get(call);
    if (recording === undefined || recording.isOver) return;
    recording.isOver = true;
    recording.ears.close();
    try {
      // Closed whatever became of the last write, of which closing tells as well.
      await recording.writing.catch(() => undefined);
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

  #write(recording: Recording, sound: Buffer, brokenOff: () => void): void {
    const last = recording.isOver;
    recording.writing = recording.writing.then(() => recording.file.write(sound));
    recording.writing.then(
      async () => {
        // Recordings go before calls do.
        if (!last && !(await this.#hasRoom()) && !recording.isOver) brokenOff();
      },
      // What went wrong is told by whoever ends it.
      () => {
        if (!recording.isOver) brokenOff();
      },
    );
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
}
