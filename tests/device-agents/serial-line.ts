import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { projectRoot } from '../../gateway/config/paths.js';
import { SerialWire } from '../../scripts/simulators/serial-wire.js';
import { nowMs, until } from './harness.js';

const SLAVE = join(projectRoot(), 'tests', 'device-agents', 'pymodbus_slave.py');
/** Not whatever `python3` is first in the path: the Debian package belongs to this one. */
const PYTHON = '/usr/bin/python3';

/** What a slave's coils became, and when. */
export interface CoilsSeen {
  readonly unit: number;
  readonly coils: readonly number[];
  readonly atMs: number;
  readonly by: 'master' | 'watchdog' | 'reset';
}

interface Said {
  readonly ready?: true;
  readonly unit?: number;
  readonly coils?: number[];
  readonly watchdog?: true;
  readonly reset?: true;
  readonly register?: number;
  readonly value?: number;
}

/** A serial line on ptys with pymodbus boards at its far end, and a wire between that a test can spoil or pull. */
export class SerialLine {
  readonly coils = new Map<number, readonly number[]>();
  readonly registers = new Map<string, number>();
  /** Every change of coils, in order. */
  readonly seen: CoilsSeen[] = [];
  /** Called on each write of coils. */
  onCoils: (unit: number, coils: readonly number[]) => void = () => undefined;
  readonly wire = new SerialWire();
  #slave: ChildProcess | undefined;
  #slaveReady = false;

  get path(): string {
    return this.wire.path;
  }

  async start(t: Test, units: readonly number[] = [1]): Promise<void> {
    t.teardown(() => this.#stop());
    await this.wire.start();
    this.#slave = spawn(PYTHON, [SLAVE, this.wire.farPath, ...units.map(String)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#slave.stdout as NodeJS.ReadableStream }).on('line', (line) => this.#said(line));
    await until('the slave', () => this.#slaveReady);
  }

  /** Puts the adapter in. */
  plug(): Promise<void> {
    return this.wire.plug();
  }

  /** Pulls the adapter: its device file vanishes, and the boards keep their power. */
  pull(): Promise<void> {
    return this.wire.pull();
  }

  hook(input: number, off: boolean, unit = 1): void {
    this.#order(`input ${unit} ${input} ${off ? 1 : 0}`);
  }

  poke(register: number, value: number, unit = 1): void {
    this.#order(`register ${unit} ${register} ${value}`);
  }

  /** The next `count` questions are answered by exceptions. */
  except(count: number, unit = 1): void {
    this.#order(`except ${unit} ${count}`);
  }

  /** A board without power on a line that stands. */
  mute(on: boolean, unit = 1): void {
    this.#order(`mute ${unit} ${on ? 1 : 0}`);
  }

  /** Power off and on. */
  reset(unit = 1): void {
    this.#order(`reset ${unit}`);
  }

  relay(index: number, unit = 1): boolean {
    return this.coils.get(unit)?.[index] === 1;
  }

  /** No relay of this board is closed. */
  isAllOpen(unit = 1): boolean {
    return this.coils.get(unit)?.every((coil) => coil === 0) ?? true;
  }

  #order(command: string): void {
    this.#slave?.stdin?.write(`${command}\n`);
  }

  #said(line: string): void {
    const { ready, unit, coils, watchdog, reset, register, value } = JSON.parse(line) as Said;
    if (ready) this.#slaveReady = true;
    if (unit !== undefined && coils !== undefined) {
      this.coils.set(unit, coils);
      this.seen.push({ unit, coils, atMs: nowMs(), by: watchdog ? 'watchdog' : reset ? 'reset' : 'master' });
      this.onCoils(unit, coils);
    }
    if (register !== undefined && value !== undefined) this.registers.set(`${unit}/${register}`, value);
  }

  async #stop(): Promise<void> {
    const slave = this.#slave;
    if (slave !== undefined && slave.exitCode === null && slave.signalCode === null) {
      const exited = once(slave, 'exit');
      slave.kill('SIGKILL');
      await exited;
    }
    await this.wire.close();
  }
}
