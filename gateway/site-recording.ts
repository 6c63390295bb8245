import { mkdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importJWK } from 'jose';
import cron from 'node-cron';
import type { RecordingConfig } from '../config/schema/types.generated.js';
import type { EventDraft, MediaOrder } from './calls/ports.js';
import type { Clock } from './clock/clock.js';
import type { SiteFiles } from './config/site.js';
import { Recorder, type TapPorts } from './media/recording/recorder.js';
import { keepRetention } from './media/recording/retention.js';
import { readWarrant, type Warrant } from './media/recording/warrant.js';
import { WarrantRecording } from './media/recording/warrant-recording.js';
import type { CallId } from './policy/ids.js';
import { NumberList } from './policy/number-list.js';

export interface SiteRecordingOptions {
  readonly files: SiteFiles;
  readonly config: RecordingConfig;
  readonly clock: Clock;
  readonly tap: (call: CallId, tap: string, to?: TapPorts) => Promise<boolean>;
  /** Appends to the audit chain; throws when the disk does not take it. */
  readonly append: (event: EventDraft) => void;
  readonly onAlarm: (code: string, detail: string) => void;
}

/** Recording at a site: the warrants in its data folder, the calls that they reach, and the erasure of what is too old. */
export class SiteRecording {
  readonly #options: SiteRecordingOptions;
  readonly #recorder: Recorder;
  readonly #recording: WarrantRecording;
  readonly #privileged: NumberList;
  readonly #stops: (() => void)[] = [];
  #warrants: readonly Warrant[] = [];
  #refused = new Set<string>();

  constructor(options: SiteRecordingOptions) {
    const { files, config, clock, tap, append, onAlarm } = options;
    this.#options = options;
    this.#privileged = new NumberList(config.privileged);
    const folder = join(files.dataFolder, 'recordings');
    for (const name of [folder, this.#warrantFolder]) mkdirSync(name, { recursive: true, mode: 0o700 });
    const reserveBytes = config.reserveMb * 1_000_000;
    this.#recorder = new Recorder({ clock, folder, recipient: config.recipient, reserveBytes, onAlarm });
    this.#recording = new WarrantRecording({
      clock,
      recorder: this.#recorder,
      warrants: () => this.#warrants,
      tap,
      audit: (what, call, warrant) =>
        append({ kind: 'event', type: `balise.recording.${what}`, data: { call, warrant } }),
      onAlarm,
    });
    const onErased = (name: string): void => append({ kind: 'event', type: 'balise.recording.erased', data: { name } });
    this.#stops.push(keepRetention({ clock, folder, days: config.days, onErased, onAlarm }).stop);
  }

  get #warrantFolder(): string {
    return join(this.#options.files.dataFolder, 'warrants');
  }

  /** Reads the warrants, and again every minute. */
  async start(): Promise<void> {
    await this.#readWarrants();
    const task = cron.schedule('* * * * *', () => void this.#readWarrants());
    this.#stops.push(() => void task.stop());
  }

  /** Settles when what is being recorded is sealed. */
  async stop(): Promise<void> {
    for (const stop of this.#stops) stop();
    await this.#recorder.endAll();
  }

  armed(call: CallId, { person, number }: MediaOrder): void {
    if (number === undefined) return;
    const isPrivileged = this.#privileged.has(number);
    const facts = { number, isPrivileged, ...(person === undefined ? {} : { person }) };
    this.#watched(this.#recording.armed(call, facts));
  }

  closed(call: CallId): void {
    this.#watched(this.#recording.closed(call));
  }

  #watched(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.onAlarm('recording.fault', String(error)));
  }

  async #readWarrants(): Promise<void> {
    const { files, onAlarm } = this.#options;
    try {
      const keys = await Promise.all((files.uplink?.commandKeys ?? []).map((jwk) => importJWK({ ...jwk }, 'EdDSA')));
      const warrants: Warrant[] = [];
      for (const name of await readdir(this.#warrantFolder)) {
        if (!name.endsWith('.jws')) continue;
        const jws = (await readFile(join(this.#warrantFolder, name), 'utf8')).trim();
        const read = await Promise.all(
          keys.flatMap((key) => (key instanceof Uint8Array ? [] : [readWarrant(jws, key)])),
        );
        const warrant = read.find((one): one is Warrant => typeof one !== 'string');
        if (warrant !== undefined) warrants.push(warrant);
        else if (!this.#refused.has(name)) {
          this.#refused.add(name);
          onAlarm('recording.bad-warrant', `${name} is no warrant of headquarters: ${read[0] ?? 'no key is known'}`);
        }
      }
      this.#warrants = warrants;
    } catch (error) {
      // Without warrants nothing is recorded.
      this.#warrants = [];
      onAlarm('recording.fault', `the warrants cannot be read: ${String(error)}`);
    }
  }
}
