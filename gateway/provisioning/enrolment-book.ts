import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from './atomic-file.js';
import { Seal, SealFault } from './seal.js';
import { newDigits, newSecret, newToken } from './secrets.js';

/** What a device is served, and by what it is known. All of it is secret but the address, the generation and the time. */
export interface Enrolment {
  readonly mac: string;
  /** Changes with every arming: what was noted of an earlier one says nothing of this one. */
  readonly generation: string;
  /** Until when the token opens anything, Unix milliseconds; it dies sooner when the device has registered. */
  readonly armedUntilMs: number;
  readonly token: string;
  readonly adminPassword: string;
  readonly userPassword: string;
  readonly adminDigits: string;
  /** The SIP secret of each handset on the device. */
  readonly secrets: Readonly<Record<string, string>>;
}

type Secrets = Omit<Enrolment, 'mac' | 'generation' | 'armedUntilMs'>;

interface SealedFile {
  readonly generation: string;
  readonly armedUntilMs: number;
  readonly sealed: string;
}

const SUFFIX = '.enrolment.json';

/** The folder of what is known of a site's devices. */
export const phonesFolder = (dataFolder: string): string => join(dataFolder, 'phones');

/**
 * The enrolments of a site's devices, a sealed file each: `<data folder>/phones/<mac>.enrolment.json`. The CLI writes them,
 * the gateway reads them; what the gateway learns of a device it keeps in a file of its own (device-notes.ts).
 */
export class EnrolmentBook {
  readonly #folder: string;
  readonly #dataFolder: string;
  #seal: Seal | undefined;

  constructor(dataFolder: string) {
    this.#dataFolder = dataFolder;
    this.#folder = phonesFolder(dataFolder);
  }

  /** The addresses of all devices that have been enrolled. */
  macs(): readonly string[] {
    try {
      return readdirSync(this.#folder).flatMap((name) =>
        name.endsWith(SUFFIX) ? [name.slice(0, -SUFFIX.length)] : [],
      );
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw fault;
    }
  }

  /** Undefined for a device that was never enrolled. Throws a `SealFault` when the file cannot be opened. */
  read(mac: string): Enrolment | undefined {
    const file = this.#file(mac);
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw fault;
    }
    try {
      const { generation, armedUntilMs, sealed } = JSON.parse(text) as SealedFile;
      const secrets = JSON.parse(this.#key().open(sealed, contextOf(mac, generation, armedUntilMs))) as Secrets;
      return { mac, generation, armedUntilMs, ...secrets };
    } catch (fault) {
      const why = fault instanceof Error ? fault.message : String(fault);
      throw new SealFault(`${file}: ${why}; enrol the device anew with balise handset provision --rotate`);
    }
  }

  write({ mac, generation, armedUntilMs, ...secrets }: Enrolment): void {
    const sealed = this.#key().seal(JSON.stringify(secrets), contextOf(mac, generation, armedUntilMs));
    const file: SealedFile = { generation, armedUntilMs, sealed };
    writeAtomically(this.#file(mac), `${JSON.stringify(file)}\n`);
  }

  remove(mac: string): void {
    rmSync(this.#file(mac), { force: true });
  }

  #key(): Seal {
    this.#seal ??= Seal.of(this.#dataFolder);
    return this.#seal;
  }

  #file(mac: string): string {
    return join(this.#folder, `${mac}${SUFFIX}`);
  }
}

const contextOf = (mac: string, generation: string, armedUntilMs: number): string =>
  `balise enrolment ${mac} ${generation} ${armedUntilMs}`;

/** What is to be fresh when a device is armed; all else stays as it was. */
export interface Renewal {
  /** Handsets whose secrets are drawn anew, and with them the passwords of the device's own pages. */
  readonly secrets?: readonly string[];
  /** The token as well: for a device that was reset, or whose token somebody may have read. */
  readonly token?: boolean;
}

/**
 * A device armed until an instant, with secrets for those of its handsets that have none yet. Its token stays unless it is to
 * be renewed: the device knows no other, and its own pages may be closed.
 */
export function armed(
  mac: string,
  handsets: readonly string[],
  armedUntilMs: number,
  before: Enrolment | undefined,
  { secrets = [], token = false }: Renewal = {},
): Enrolment {
  const keep = secrets.length === 0 ? before : undefined;
  return {
    mac,
    generation: randomUUID(),
    armedUntilMs,
    token: (token ? undefined : before?.token) ?? newToken(),
    adminPassword: keep?.adminPassword ?? newSecret(),
    userPassword: keep?.userPassword ?? newSecret(),
    adminDigits: keep?.adminDigits ?? newDigits(),
    secrets: Object.fromEntries(
      handsets.map((id) => [id, (secrets.includes(id) ? undefined : before?.secrets[id]) ?? newSecret()]),
    ),
  };
}
