import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { projectRoot } from '../../gateway/config/paths.js';
import { until } from './harness.js';

const SLAVE = join(projectRoot(), 'tests', 'device-agents', 'pymodbus_slave.py');
/** Not whatever `python3` is first in the path: the Debian package belongs to this one. */
const PYTHON = '/usr/bin/python3';

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/**
 * A serial line on ptys, with pymodbus boards at its far end. Two socat processes meet at a socket, so that the agent's
 * port can be pulled while the boards keep their power.
 */
export class SerialLine {
  readonly path: string;
  readonly coils = new Map<number, readonly number[]>();
  readonly registers = new Map<string, number>();
  /** Called on each write of coils. */
  onCoils: (unit: number, coils: readonly number[]) => void = () => undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), 'balise-serial-'));
  #far: ChildProcess | undefined;
  #near: ChildProcess | undefined;
  #slave: ChildProcess | undefined;
  #slaveReady = false;

  constructor() {
    this.path = join(this.#folder, 'agent');
  }

  async start(t: Test, units: readonly number[] = [1]): Promise<void> {
    t.teardown(() => this.#stop());
    const socket = join(this.#folder, 'wire');
    const farEnd = join(this.#folder, 'boards');
    this.#far = spawn('socat', [`pty,raw,echo=0,link=${farEnd}`, `unix-listen:${socket},fork,max-children=1`]);
    await until('the far end of the line', () => existsSync(farEnd) && existsSync(socket));
    await this.plug();
    this.#slave = spawn(PYTHON, [SLAVE, farEnd, ...units.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#slave.stdout as NodeJS.ReadableStream }).on('line', (line) => this.#said(line));
    await until('the slave', () => this.#slaveReady);
  }

  /** Puts the adapter in. */
  async plug(): Promise<void> {
    this.#near = spawn('socat', [`pty,raw,echo=0,link=${this.path}`, `unix-connect:${join(this.#folder, 'wire')}`]);
    await until('the near end of the line', () => existsSync(this.path) && existsSync(readlinkSync(this.path)));
  }

  /** Pulls the adapter: its device file vanishes. */
  async pull(): Promise<void> {
    if (this.#near !== undefined) await end(this.#near);
    rmSync(this.path, { force: true });
  }

  hook(input: number, off: boolean, unit = 1): void {
    this.#slave?.stdin?.write(`input ${unit} ${input} ${off ? 1 : 0}\n`);
  }

  poke(register: number, value: number, unit = 1): void {
    this.#slave?.stdin?.write(`register ${unit} ${register} ${value}\n`);
  }

  relay(index: number, unit = 1): boolean {
    return this.coils.get(unit)?.[index] === 1;
  }

  #said(line: string): void {
    const said = JSON.parse(line) as {
      ready?: true;
      unit?: number;
      coils?: number[];
      register?: number;
      value?: number;
    };
    if (said.ready) this.#slaveReady = true;
    if (said.unit !== undefined && said.coils !== undefined) {
      this.coils.set(said.unit, said.coils);
      this.onCoils(said.unit, said.coils);
    }
    if (said.register !== undefined && said.value !== undefined) {
      this.registers.set(`${said.unit}/${said.register}`, said.value);
    }
  }

  async #stop(): Promise<void> {
    for (const child of [this.#slave, this.#near, this.#far]) if (child !== undefined) await end(child);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
