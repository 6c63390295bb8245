import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { EXIT } from '../cli/command.js';
import { InstallFault } from './fault.js';

export interface MachineOptions {
  /** A folder that stands for `/`; left out: this machine itself. */
  readonly root?: string;
  /** Says what it would do, and does nothing. */
  readonly isDry: boolean;
  readonly say: (line: string) => void;
}

/**
 * The machine that is installed on. Paths are those of the machine (`/opt/balise`); in a root they are under it, nothing
 * outside it is touched, and commands to the running system are told and not run. What is there already as it should be
 * is left alone, so that everything may be done twice.
 */
export class Machine {
  readonly #root: string | undefined;
  readonly isDry: boolean;
  readonly say: (line: string) => void;

  constructor({ root, isDry, say }: MachineOptions) {
    this.isDry = isDry;
    this.say = say;
    if (root !== undefined && !isDry) mkdirSync(root, { recursive: true });
    this.#root = root !== undefined && existsSync(root) ? realpathSync(root) : root;
    if (this.#root === '/') throw new InstallFault('--root / is this machine itself: leave --root out', EXIT.usage);
  }

  /** It is this machine, and its systemd, users and devices are to be told. */
  get isLive(): boolean {
    return this.#root === undefined;
  }

  /** Where a path of the machine really is. Throws when a link in the root would lead out of it. */
  at(path: string): string {
    const root = this.#root;
    if (root === undefined) return path;
    const real = join(root, path);
    let there = dirname(real);
    while (!existsSync(there) && there !== dirname(there)) there = dirname(there);
    const whole = existsSync(root) ? realpathSync(there) : root;
    if (whole !== root && !whole.startsWith(root + sep) && existsSync(root))
      throw new InstallFault(`${there} leads out of the root ${root}, to ${whole}: nothing is written there`, EXIT.no);
    return real;
  }

  has(path: string): boolean {
    return lstatSync(this.at(path), { throwIfNoEntry: false }) !== undefined;
  }

  /** The text of a file; undefined when there is none. */
  read(path: string): string | undefined {
    const file = this.at(path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  folder(path: string, mode: number): void {
    const real = this.at(path);
    const found = statSync(real, { throwIfNoEntry: false });
    if (found !== undefined && !found.isDirectory()) throw new InstallFault(`${real} is no folder`, EXIT.no);
    if (found !== undefined && (found.mode & 0o7777) === mode) return;
    this.#do(`${found === undefined ? 'make' : 'set the mode of'} the folder ${path} (${mode.toString(8)})`, () => {
      mkdirSync(real, { recursive: true });
      chmodSync(real, mode);
    });
  }

  /** Writes a file whole or not at all. Returns whether it was another before. */
  write(path: string, text: string, mode = 0o644): boolean {
    const real = this.at(path);
    const found = statSync(real, { throwIfNoEntry: false });
    const isSame = this.read(path) === text;
    if (found !== undefined && isSame && (found.mode & 0o777) === mode) return false;
    this.#do(`write ${path}`, () => {
      mkdirSync(dirname(real), { recursive: true });
      const draft = `${real}.new`;
      rmSync(draft, { force: true });
      writeFileSync(draft, text, { mode, flush: true });
      chmodSync(draft, mode);
      renameSync(draft, real);
    });
    return true;
  }

  /** Points a link at `target`, at once: there is no instant without it. */
  link(path: string, target: string): void {
    const real = this.at(path);
    const found = lstatSync(real, { throwIfNoEntry: false });
    if (found?.isSymbolicLink() && readlinkSync(real) === target) return;
    if (found !== undefined && !found.isSymbolicLink())
      throw new InstallFault(`${real} is there and is no link: move it away`, EXIT.no);
    this.#do(`point ${path} at ${target}`, () => {
      rmSync(`${real}.new`, { force: true });
      symlinkSync(target, `${real}.new`);
      renameSync(`${real}.new`, real);
    });
  }

  remove(path: string): void {
    if (!this.has(path)) return;
    this.#do(`remove ${path}`, () => rmSync(this.at(path), { recursive: true, force: true }));
  }

  /** Does something of more than one step under paths that `at` gave. */
  work(what: string, run: () => void): void {
    this.#do(what, run);
  }

  /**
   * Tells the running system something; in a root, or dry, only says so. Throws when the command fails, unless it is
   * optional: a machine may do without.
   */
  command(argv: readonly [string, ...string[]], how: { readonly optional?: boolean } = {}): void {
    const text = argv.join(' ');
    if (this.isDry || !this.isLive) {
      this.say(`${this.isLive ? 'would run' : 'left out, as this is a root and not the machine'}: ${text}`);
      return;
    }
    this.say(`running: ${text}`);
    const [program, ...args] = argv;
    const { status, error, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    if (status === 0) return;
    const why = error?.message ?? `${stderr}`.trim();
    if (how.optional !== true) throw new InstallFault(`${text} failed: ${why}`, EXIT.unavailable);
    this.say(`that failed, and the installation goes on: ${why}`);
  }

  #do(what: string, run: () => void): void {
    this.say(this.isDry ? `would ${what}` : what);
    if (!this.isDry) run();
  }
}
