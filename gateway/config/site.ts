import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type {
  Boards,
  CallingHours,
  Handsets,
  Lists,
  Profiles,
  SiteConfig,
  Trunks,
  UplinkConfig,
  Wings,
} from '../../config/schema/types.generated.js';
import { checkAddresses } from './addresses.js';
import { readCallingHours } from './calling-hours.js';
import { readDevices } from './devices.js';
import { ConfigFault, type Fault, quoted } from './fault.js';
import { type JsonWalk, placeOf, walkJson } from './json-text.js';
import { programData } from './paths.js';
import { checkPhones } from './phones.js';
import { checkReferences } from './references.js';
import { checkRtpengine } from './rtpengine-limits.js';
import { breaches, nearest } from './schema-faults.js';
import { validatorOf } from './schemas.js';
import type { Checked, FileName, SiteContent } from './site-check.js';
import { deepFreeze, soundPart } from './sound.js';
import { checkWiring } from './wiring.js';

/** A site's whole configuration: validated, defaults filled in, frozen all the way down. */
export interface SiteFiles {
  /** The site's folder, absolute. */
  readonly folder: string;
  readonly site: SiteConfig;
  readonly wings: Wings;
  readonly handsets: Handsets;
  readonly profiles: Profiles;
  readonly lists: Lists;
  readonly trunks: Trunks;
  readonly boards: Boards;
  /** The program's, and those of the site's folder `calling-hours/` in their place. */
  readonly callingHours: readonly CallingHours[];
  /** Absent: no uplink. `ca`, `cert` and `key` are absolute paths. */
  readonly uplink?: UplinkConfig;
  /** `site.dataFolder`, absolute. */
  readonly dataFolder: string;
  /** `site.runFolder`, absolute; absent: take a fresh 0700 folder under the system's temporary folder. */
  readonly runFolder?: string;
}

/** The files of a site, in the order in which faults are told, and what an absent one means. */
const FILES: { readonly [K in FileName]: 'required' | SiteContent[K] | 'absent' } = {
  site: 'required',
  wings: 'required',
  profiles: 'required',
  lists: {},
  trunks: 'required',
  boards: [],
  handsets: 'required',
  uplink: 'absent',
};
const NAMES = Object.keys(FILES) as FileName[];

/** One file as it was read: its text, its value with defaults filled in, and the faults in it alone. */
interface ReadFile {
  readonly value?: unknown;
  readonly text?: string;
  readonly walk?: JsonWalk;
  readonly faults: readonly Fault[];
}

/**
 * Loads the site in `folder`: every file read, validated, and checked against the others and the devices on file.
 * Throws a `ConfigFault` with all faults at once; touches nothing but the files it reads.
 * @param devicesFolder where the kinds of boards are described; the program's own `config/devices/` unless told otherwise.
 * @param instead texts in the place of files on disk: what the site would be with them.
 */
export async function loadSite(
  folder: string,
  devicesFolder = programData('devices'),
  instead: Partial<Readonly<Record<FileName, string>>> = {},
): Promise<SiteFiles> {
  const root = resolve(folder);
  const names = siteFolder(root);
  const read = Object.fromEntries(
    await Promise.all(NAMES.map(async (name) => [name, await readSiteFile(root, name, instead[name])] as const)),
  ) as Record<FileName, ReadFile>;

  const faults: Fault[] = [...strangers(names), ...NAMES.flatMap((name) => read[name].faults)];
  const sound = (name: FileName) => {
    const at = read[name].faults.map((fault) => fault.pointer);
    if (read[name].value !== undefined) return soundPart(read[name].value, at);
    return typeof FILES[name] === 'object' && at.length === 0 ? FILES[name] : undefined;
  };
  const checked: Checked = {
    content: Object.fromEntries(NAMES.map((name) => [name, sound(name)])) as Checked['content'],
    folder: root,
    devices: readDevices(devicesFolder),
    isWritten: (file, pointer) => read[file].walk?.places.has(pointer) === true,
    report(file, pointer, found, expected, hint) {
      const name = pointer.split('/').at(-1);
      faults.push(placed(read[file], { file: `${file}.json`, pointer, found: quoted(found, name), expected, hint }));
    },
  };
  checkReferences(checked);
  checkWiring(checked);
  checkPhones(checked);
  checkAddresses(checked);
  checkRtpengine(checked);
  const calling = readCallingHours(root);
  faults.push(...calling.faults);
  if (faults.length > 0) throw new ConfigFault(root, inOrder(faults));
  return whole(root, read, calling.hours);
}

/** The names in the site's folder. Throws when there is no such folder. */
function siteFolder(root: string): string[] {
  try {
    return readdirSync(root);
  } catch (fault) {
    const { code } = fault as NodeJS.ErrnoException;
    throw new ConfigFault(root, [
      {
        file: root,
        pointer: '',
        found: code ?? 'an error',
        expected: "a site's folder, with site.json and the other files",
        hint: code === 'EACCES' ? 'let this user read it' : 'see whether the path is right',
      },
    ]);
  }
}

/** A JSON file that is none of a site's is most likely a misspelt one, and would be silently without effect. */
function strangers(names: readonly string[]): Fault[] {
  const known = NAMES.map((name) => `${name}.json`);
  return names
    .filter((name) => name.endsWith('.json') && !known.includes(name))
    .map((file) => {
      const meant = nearest(file, known);
      return {
        file,
        pointer: '',
        found: 'a file that is no part of a site',
        expected: `one of ${known.join(', ')}`,
        hint: meant === undefined ? 'move it elsewhere' : `did you mean ${meant}?`,
      };
    });
}

async function readSiteFile(root: string, name: FileName, instead: string | undefined): Promise<ReadFile> {
  const file = `${name}.json`;
  const fault = (found: string, expected: string, hint: string) => ({ file, pointer: '', found, expected, hint });
  let bytes: Buffer;
  try {
    bytes = instead === undefined ? await readFile(join(root, file)) : Buffer.from(instead);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && FILES[name] !== 'required') return { faults: [] };
    if (code === 'ENOENT')
      return {
        faults: [
          fault('no such file', 'a file that every site has', `add ${file}; config/demo/ has one to start from`),
        ],
      };
    return { faults: [fault(code ?? String(error), 'a file that may be read', 'see its owner and its rights')] };
  }
  let text: string;
  try {
    // A byte order mark, as some editors write, is taken off by the decoder.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // The decoder says no more than that it failed.
    return { faults: [fault('bytes that are no UTF-8', 'text in UTF-8', 'save the file anew as UTF-8')] };
  }
  const walk = walkJson(text);
  if (walk.mistake !== undefined) {
    const { offset, found, expected } = walk.mistake;
    return {
      text,
      faults: [{ ...fault(found, expected, 'mend it here; what follows was not read'), ...placeOf(text, offset) }],
    };
  }
  const value: unknown = JSON.parse(text);
  const doubled = walk.doubled.map(({ pointer, offset }) => ({
    ...fault('the same name a second time', 'each name once', 'remove one of the two: only the last would count'),
    pointer,
    ...placeOf(text, offset),
  }));
  const validate = validatorOf(name);
  validate(value);
  const read = { value, text, walk };
  const broken = breaches(validate.errors ?? []).map((breach) => placed(read, { file, ...breach }));
  return { ...read, faults: [...doubled, ...broken] };
}

/** A fault with its line and column: those of the value, or of the nearest thing around it that is written. */
function placed(read: Pick<ReadFile, 'text' | 'walk'>, fault: Fault): Fault {
  const { text, walk } = read;
  if (text === undefined || walk === undefined) return fault;
  for (let { pointer } = fault; ; pointer = pointer.slice(0, pointer.lastIndexOf('/'))) {
    const offset = walk.places.get(pointer);
    if (offset !== undefined) return { ...fault, ...placeOf(text, offset) };
    if (pointer === '') return fault;
  }
}

function inOrder(faults: readonly Fault[]): Fault[] {
  const files = NAMES.map((name) => `${name}.json`);
  const rank = (fault: Fault) => files.indexOf(fault.file);
  return [...faults].sort(
    (a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

/** The site as it was found to be without fault: every `value` has passed its schema, so the casts state what ajv proved. */
function whole(
  folder: string,
  read: Readonly<Record<FileName, ReadFile>>,
  callingHours: readonly CallingHours[],
): SiteFiles {
  const content = Object.fromEntries(
    NAMES.map((name) => [name, read[name].value ?? (typeof FILES[name] === 'object' ? FILES[name] : undefined)]),
  ) as unknown as SiteContent & { uplink?: UplinkConfig };
  const { uplink, ...files } = content;
  const absolute = (path: string) => resolve(folder, path);
  return deepFreeze({
    folder,
    ...files,
    callingHours,
    ...(uplink === undefined ? {} : { uplink: withAbsolutePaths(uplink, absolute) }),
    dataFolder: absolute(files.site.dataFolder),
    ...(files.site.runFolder === undefined ? {} : { runFolder: absolute(files.site.runFolder) }),
  });
}

function withAbsolutePaths(uplink: UplinkConfig, absolute: (path: string) => string): UplinkConfig {
  const { ca, cert, key } = uplink;
  return {
    ...uplink,
    ...(ca === undefined ? {} : { ca: absolute(ca) }),
    ...(cert === undefined ? {} : { cert: absolute(cert) }),
    ...(key === undefined ? {} : { key: absolute(key) }),
  };
}
