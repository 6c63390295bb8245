import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from './atomic-file.js';
import { phonesFolder } from './enrolment-book.js';

/** A registration as it was seen, for the read-back check. */
export interface SeenRegistration {
  readonly at: string;
  readonly address: string;
  readonly userAgent: string;
  /** What does not fit what was provisioned; empty when all does. */
  readonly mismatches: readonly string[];
}

/** What the gateway has learnt of a device since it was armed. */
export interface DeviceNotes {
  /** The arming that this is of. */
  readonly generation: string;
  /** When and from where it fetched its configuration: from then on nobody else gets it. */
  readonly fetched?: { readonly at: string; readonly from: string };
  /** When it had fetched and every handset of it registered: its token has opened nothing since. */
  readonly closedAt?: string;
  readonly registrations: Readonly<Record<string, SeenRegistration>>;
}

/** The notes of a site's devices, a file each: `<data folder>/phones/<mac>.notes.json`. The gateway alone writes them. */
export class DeviceNotebook {
  readonly #folder: string;

  constructor(dataFolder: string) {
    this.#folder = phonesFolder(dataFolder);
  }

  /** Undefined where nothing is noted, or nothing that can be read: nothing is then known of the device, which opens nothing. */
  read(mac: string): DeviceNotes | undefined {
    try {
      const notes = JSON.parse(readFileSync(this.#file(mac), 'utf8')) as Partial<DeviceNotes>;
      return typeof notes.generation === 'string'
        ? { ...notes, generation: notes.generation, registrations: notes.registrations ?? {} }
        : undefined;
    } catch (fault) {
      if (fault instanceof SyntaxError || (fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw fault;
    }
  }

  write(mac: string, notes: DeviceNotes): void {
    writeAtomically(this.#file(mac), `${JSON.stringify(notes)}\n`);
  }

  remove(mac: string): void {
    rmSync(this.#file(mac), { force: true });
  }

  #file(mac: string): string {
    return join(this.#folder, `${mac}.notes.json`);
  }
}
