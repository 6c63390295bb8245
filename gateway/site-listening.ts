import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import cron from 'node-cron';
import type { RecordingConfig } from '../config/schema/types.generated.js';
import type { CutoffOrder, CutoffResult, EventDraft, MediaOrder } from './calls/ports.js';
import type { Clock } from './clock/clock.js';
import type { SiteFiles } from './config/site.js';
import type { Tap } from './media/copies/call-ears.js';
import { Recorder } from './media/recording/recorder.js';
import { keepRetention } from './media/recording/retention.js';
import { loadAge } from './media/recording/sealed-file.js';
import type { VerifyingKey } from './media/recording/warrant.js';
import { WarrantBook, type WarrantOffer } from './media/recording/warrant-book.js';
import { WarrantRecording } from './media/recording/warrant-recording.js';
import { type ListeningRefusal, type SupervisedCall, Supervision } from './media/supervision.js';
import type { CallId, HandsetId } from './policy/ids.js';
import { NumberList } from './policy/number-list.js';

export interface SiteListeningOptions {
  readonly files: SiteFiles;
  readonly clock: Clock;
  readonly tap: Tap;
  /** Whether the calls of a handset may be listened to, where the call itself does not say. */
  readonly isSupervised: (handset: HandsetId) => boolean;
  /** Has the calls carry out a cutoff. */
  readonly cut: (order: CutoffOrder) => Promise<CutoffResult> | undefined;
  /** Appends to the audit chain; throws when the disk does not take it. */
  readonly append: (event: EventDraft) => void;
  readonly onAlarm: (code: string, detail: string) => void;
}

/** Who else hears calls at a site: supervisors, and recordings under a warrant. Both by copies of the streams alone. */
export class SiteListening {
  readonly #options: SiteListeningOptions;
  readonly #privileged: NumberList;
  readonly #calls = new Map<CallId, SupervisedCall>();
  readonly #supervision: Supervision;
  readonly #recording: SiteRecording | undefined;

  constructor(options: SiteListeningOptions) {
    const { files, clock, tap, append, onAlarm } = options;
    const { recording, privileged } = files.site.media;
    this.#options = options;
    this.#privileged = new NumberList(privileged);
    this.#supervision = new Supervision({
      clock,
      tap,
      facts: (call) => this.#calls.get(call),
      audit: (what, call, supervisor) =>
        append({ kind: 'event', type: `balise.supervision.${what}`, data: { call, supervisor } }),
      onAlarm,
    });
    this.#recording = recording && new SiteRecording(options, recording);
  }

  /** Reads the warrants, and again every minute. */
  async start(): Promise<void> {
    await this.#recording?.start();
  }

  /** Settles when what is being recorded is sealed. */
  async stop(): Promise<void> {
    this.#supervision.endAll();
    await this.#recording?.stop();
  }

  armed(call: CallId, { person, number, handset, supervised }: MediaOrder): void {
    if (number === undefined) return;
    const isPrivileged = this.#privileged.has(number);
    this.#calls.set(call, { isPrivileged, isStated: supervised ?? this.#options.isSupervised(handset) });
    this.#recording?.calls.armed(call, { number, isPrivileged, ...(person === undefined ? {} : { person }) });
  }

  closed(call: CallId): void {
    this.#calls.delete(call);
    this.#supervision.callEnded(call);
    void this.#recording?.calls.closed(call);
  }

  /** Lets a signed-in supervisor hear a call, as `Supervision.listen` says. */
  listen(call: CallId, supervisor: string): Promise<Readable | ListeningRefusal> {
    return this.#supervision.listen(call, supervisor);
  }

  /** Ends a call that the supervisor listens to; undefined when he listens to no such call. */
  async cut(call: CallId, supervisor: string): Promise<CutoffResult | undefined> {
    if (!this.#supervision.listeners(call).includes(supervisor)) return undefined;
    const by = `supervisor ${supervisor}`;
    return this.#options.cut({
      id: randomUUID(),
      target: { kind: 'call', call },
      reason: 'cut by a listener',
      by,
      hold: 0,
    });
  }

  /** Who listens to a call now. */
  listeners(call: CallId): readonly string[] {
    return this.#supervision.listeners(call);
  }

  /** Takes headquarters' `warrant` order: its signed object, a compact JWS. It never rejects. */
  async offerWarrant(
    jws: string,
  ): Promise<WarrantOffer | { readonly outcome: 'refused'; readonly why: 'warrant.no-recording' }> {
    return this.#recording?.book.offer(jws) ?? { outcome: 'refused', why: 'warrant.no-recording' };
  }
}

/** Recording at a site: the warrants in its data folder, the calls that they reach, and the erasure of what is too old. */
class SiteRecording {
  readonly book: WarrantBook;
  readonly calls: WarrantRecording;
  readonly #stops: (() => void)[] = [];

  constructor({ files, clock, tap, append, onAlarm }: SiteListeningOptions, config: RecordingConfig) {
    const [folder, warrants] = ['recordings', 'warrants'].map((name) => join(files.dataFolder, name)) as [
      string,
      string,
    ];
    for (const name of [folder, warrants]) mkdirSync(name, { recursive: true, mode: 0o700 });
    const say = (what: string, data: EventDraft['data']): void =>
      append({ kind: 'event', type: `balise.recording.${what}`, data });
    const reserveBytes = config.reserveMb * 1_000_000;
    const keys = import('jose').then(({ importJWK }) =>
      Promise.all((files.uplink?.commandKeys ?? []).map((jwk) => importJWK({ ...jwk }, 'EdDSA'))),
    );
    this.book = new WarrantBook({
      clock,
      folder: warrants,
      keys: keys.then((all) => all.flatMap((key): VerifyingKey[] => (key instanceof Uint8Array ? [] : [key]))),
      audit: ({ id, person, from, until }) =>
        say('warranted', { warrant: id, of: person ?? 'a number', from: String(from), until: String(until) }),
      onAlarm,
    });
    this.calls = new WarrantRecording({
      clock,
      recorder: new Recorder({ clock, folder, recipient: config.recipient, reserveBytes, onAlarm }),
      warrants: () => this.book.held,
      tap,
      audit: (what, call, warrant) => say(what, { call, warrant }),
      onAlarm,
    });
    const onErased = (name: string): void => say('erased', { name });
    this.#stops.push(keepRetention({ clock, folder, days: config.days, onErased, onAlarm }).stop);
  }

  async start(): Promise<void> {
    await Promise.all([loadAge(), this.book.reread()]);
    const task = cron.schedule('* * * * *', async () => {
      await this.book.reread();
      await this.calls.recheck();
    });
    this.#stops.push(() => void task.stop());
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) stop();
    await this.calls.endAll();
  }
}
