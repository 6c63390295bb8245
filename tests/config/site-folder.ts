import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigFault, type Fault } from '../../gateway/config/fault.js';
import { programData } from '../../gateway/config/paths.js';
import { loadSite, type SiteFiles } from '../../gateway/config/site.js';
import type { FileName } from '../../gateway/config/site-check.js';

/** A JSON value that a test takes apart. */
// biome-ignore lint/suspicious/noExplicitAny: a test breaks values in ways that no type allows.
export type Json = any;

/** A copy of the demo site in a temporary folder, to be broken; with two kinds of boards: one of 8 lines, one of 4 without a watchdog. */
export class SiteFolder {
  private constructor(
    readonly path: string,
    readonly devices: string,
  ) {}

  static async make(): Promise<SiteFolder> {
    const root = await mkdtemp(join(tmpdir(), 'balise-site-'));
    const folder = new SiteFolder(join(root, 'site'), join(root, 'devices'));
    await cp(programData('demo'), folder.path, { recursive: true, filter: (path) => !/\/(data|run)$/.test(path) });
    await mkdir(folder.devices);
    const device = (name: string, facts: Json) =>
      writeFile(join(folder.devices, `${name}.json`), JSON.stringify(facts));
    await device('generic-8r8i', { relays: { count: 8 }, hook: { count: 8 }, watchdog: { register: 8 } });
    await device('bare-4', { relays: { count: 4 }, hook: { count: 4 } });
    return folder;
  }

  remove(): Promise<void> {
    return rm(join(this.path, '..'), { recursive: true, force: true });
  }

  write(file: string, text: string | Uint8Array): Promise<void> {
    return writeFile(join(this.path, file), text);
  }

  text(file: string): Promise<string> {
    return readFile(join(this.path, file), 'utf8');
  }

  /** Edits one file's value in place. */
  async edit(name: FileName, change: (value: Json) => void): Promise<void> {
    const value = JSON.parse(await this.text(`${name}.json`));
    change(value);
    await this.write(`${name}.json`, JSON.stringify(value, null, 2));
  }

  load(): Promise<SiteFiles> {
    return loadSite(this.path, this.devices);
  }

  /** The faults of the folder; empty when it loads. Anything thrown but a ConfigFault is thrown on. */
  async faults(): Promise<readonly Fault[]> {
    return (await this.fault())?.faults ?? [];
  }

  async fault(): Promise<ConfigFault | undefined> {
    try {
      await this.load();
      return undefined;
    } catch (fault) {
      if (fault instanceof ConfigFault) return fault;
      throw fault;
    }
  }
}
