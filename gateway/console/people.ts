import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import type { ConsoleLanguage, PersonView, Role } from './api/people.js';
import { ROLES } from './rights.js';

/** The file's name in the data folder. */
export const PEOPLE_FILE = 'people.json';
export const LANGUAGES: readonly ConsoleLanguage[] = ['fr', 'nl', 'en'];
/** What a person is called: lower-case letters, digits, dot, hyphen and underscore. */
export const PERSON_NAME = '^[a-z0-9][a-z0-9._-]{0,31}$';
/** SHA-256 of a certificate, in hex. */
export const FINGERPRINT = '^[0-9a-f]{64}$';

/** A person as the file has it; instants are ISO 8601. */
export interface Person extends PersonView {
  /** As passwords.ts writes it. */
  readonly password: string;
  readonly disabled: boolean;
  readonly createdAt: string;
  readonly passwordAt: string;
  readonly certificate?: string;
}

/** The file of people cannot be used; it is left as it is. */
export class PeopleFault extends Error {
  override readonly name = 'PeopleFault';
  /** EX_CONFIG (sysexits.h). */
  readonly exitCode = 78;
}

const isPeopleFile = new Ajv().compile<{ readonly version: 1; readonly people: readonly Person[] }>({
  type: 'object',
  required: ['version', 'people'],
  additionalProperties: false,
  properties: {
    version: { const: 1 },
    people: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'role', 'language', 'password', 'disabled', 'createdAt', 'passwordAt'],
        additionalProperties: false,
        properties: {
          name: { type: 'string', pattern: PERSON_NAME },
          role: { enum: ROLES },
          language: { enum: LANGUAGES },
          password: {
            type: 'string',
            pattern: '^scrypt\\$[0-9]{4,7}\\$[0-9]{1,2}\\$[0-9]{1,2}\\$[A-Za-z0-9_-]+\\$[A-Za-z0-9_-]+$',
          },
          disabled: { type: 'boolean' },
          createdAt: { type: 'string' },
          passwordAt: { type: 'string' },
          certificate: { type: 'string', pattern: FINGERPRINT },
        },
      },
    },
  },
});

/**
 * The people of a console, kept in one file of the data folder (mode 0600), written whole and in place of the old one at each
 * change. A file that cannot be read is a fault, and never a console without people: that one would take its first anew.
 */
export class People {
  readonly #people: Map<string, Person>;

  private constructor(
    readonly file: string,
    people: readonly Person[],
  ) {
    this.#people = new Map(people.map((person) => [person.name, person]));
  }

  /** Reads the file; an absent one is no people. Throws a `PeopleFault` that says what is wrong with it. */
  static open(dataFolder: string): People {
    const file = join(dataFolder, PEOPLE_FILE);
    const mend = 'put a copy back, or move it away to begin with a new one-time link';
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return new People(file, []);
      throw new PeopleFault(`${file} cannot be read (${(fault as Error).message}): ${mend}`);
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (fault) {
      throw new PeopleFault(`${file} is no JSON (${(fault as Error).message}): ${mend}`);
    }
    if (isPeopleFile(value)) return new People(file, value.people);
    const { instancePath = '', message = 'it is not as it should be' } = isPeopleFile.errors?.[0] ?? {};
    throw new PeopleFault(`${file} at ${instancePath || 'its root'}: ${message}: ${mend}`);
  }

  get size(): number {
    return this.#people.size;
  }

  /** By name. */
  list(): readonly Person[] {
    return [...this.#people.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  find(name: string): Person | undefined {
    return this.#people.get(name);
  }

  byCertificate(fingerprint: string): Person | undefined {
    return [...this.#people.values()].find(({ certificate }) => certificate === fingerprint);
  }

  /** Somebody who may administer and is not disabled is left when this person is taken away. */
  hasOtherAdministrator(name: string): boolean {
    return this.list().some((one) => one.name !== name && one.role === 'administrator' && !one.disabled);
  }

  /** Adds a person, or puts them in place of the one of that name. Throws when the disk cannot take it; nothing has changed then. */
  put(person: Person): void {
    this.#write(new Map(this.#people).set(person.name, person));
  }

  /** False when there is nobody of that name. */
  remove(name: string): boolean {
    const left = new Map(this.#people);
    if (!left.delete(name)) return false;
    this.#write(left);
    return true;
  }

  #write(people: ReadonlyMap<string, Person>): void {
    const text = `${JSON.stringify({ version: 1, people: [...people.values()] }, null, 2)}\n`;
    const draft = `${this.file}.new`;
    const fd = openSync(draft, 'w', 0o600);
    try {
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, this.file);
    syncFolder(dirname(this.file));
    this.#people.clear();
    for (const [name, person] of people) this.#people.set(name, person);
  }
}

/** The new name is on disk, too. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function viewOf({ name, role, language }: { name: string; role: Role; language: ConsoleLanguage }): PersonView {
  return { name, role, language };
}
