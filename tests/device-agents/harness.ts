import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { AgentHealthMessage, KeyMessage, LineStateMessage } from '../../config/schema/types.generated.js';
import { Bus } from '../../gateway/bus/bus.js';
import { freshSecret } from '../../gateway/bus/identities.js';
import { readBootId, systemClock } from '../../gateway/clock/system-clock.js';
import { readDevice } from '../../gateway/lines/agent-plan.js';
import { SMALL_HEAP } from '../../gateway/supervisor/node-flags.js';

const clock = systemClock(() => ({ trusted: true }));
const compiled = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Polls `reached` on the event loop until it holds; throws after `ms` with what was waited for. */
export async function until(what: string, reached: () => boolean, ms = 60_000): Promise<void> {
  const endNs = process.hrtime.bigint() + BigInt(ms) * 1_000_000n;
  while (!reached()) {
    if (process.hrtime.bigint() > endNs) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A bus in this process that leases to an agent process, and hears what it says. */
export class AgentBench {
  bus = new Bus({ address: '127.0.0.1', port: 0, clock });
  readonly boot = readBootId();
  readonly states = new Map<string, LineStateMessage & { readonly heardMs: number }>();
  health: AgentHealthMessage | 'gone' | undefined;
  readonly onState: ((handset: string, state: LineStateMessage) => void)[] = [];
  readonly #secret = freshSecret();
  #port = 0;
  #handsets: readonly string[] = [];
  #child: ChildProcess | undefined;
  #refresh = new Map<string, NodeJS.Timeout>();
  #lastNs = 0n;
  said: string[] = [];
  /** The agent's program; the lines of one with keypads have keys too. */
  readonly program: string;
  readonly keys: string[] = [];

  constructor(kind: 'modbus-line' | 'line-card' = 'modbus-line') {
    this.program = join(compiled, 'device-agents', kind, 'main.js');
  }

  protected know(handsets: readonly string[]): void {
    this.#handsets = handsets;
    const hasKeypads = this.program.includes('line-card');
    this.bus.addIdentity({ name: 'modbus-1', secret: this.#secret, handsets, hasKeypads });
  }

  protected get access() {
    return { address: '127.0.0.1', port: this.#port, name: 'modbus-1', secret: this.#secret };
  }

  async start(t: Test): Promise<void> {
    await this.#listen();
    t.teardown(() => this.stop());
  }

  /** Ends the bus and starts another on its port, which knows the same agent. */
  async restartBus(): Promise<void> {
    await this.bus.stop();
    this.health = undefined;
    this.states.clear();
    this.bus = new Bus({ address: '127.0.0.1', port: this.#port, clock });
    this.know(this.#handsets);
    await this.#listen();
  }

  async #listen(): Promise<void> {
    this.#port = (await this.bus.start()).port;
    this.bus.subscribe('bus/line/+/state', (topic, payload) => {
      const state = JSON.parse(payload.toString()) as LineStateMessage;
      const handset = topic.split('/')[2] ?? '';
      this.states.set(handset, { ...state, heardMs: nowMs() });
      for (const tell of this.onState) tell(handset, state);
    });
    this.bus.subscribe('bus/line/+/key', (topic, payload) => {
      const { key } = JSON.parse(payload.toString()) as KeyMessage;
      this.keys.push(`${topic.split('/')[2]} ${key}`);
    });
    this.bus.subscribe('bus/agent/+/health', (_topic, payload) => {
      const text = payload.toString();
      this.health = text === 'gone' ? 'gone' : (JSON.parse(text) as AgentHealthMessage);
    });
  }

  config(
    transport: unknown,
    more: { device?: string; units?: number[]; lines?: number; allowNoWatchdog?: boolean; pollMs?: number } = {},
  ) {
    const { device = 'generic-8r8i', units = [1], lines = 2, allowNoWatchdog = false, pollMs = 20 } = more;
    const boards = units.map((unit) => ({
      id: `b${unit}`,
      unit,
      device: readDevice(device),
      allowNoWatchdog,
      lines: Array.from({ length: lines }, (_, index) => ({
        handset: units.length === 1 ? `h${index}` : `h${unit}-${index}`,
        relay: index,
        hook: index,
      })),
    }));
    this.know(boards.flatMap((board) => board.lines.map((line) => line.handset)));
    return { agent: 'modbus-1', bus: this.access, transport, boards, pollMs };
  }

  /** Starts the agent; settles when it says that it is ready. */
  async agent(config: unknown, env: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--enable-source-maps', ...SMALL_HEAP, this.program], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    this.#child = child;
    const from = this.said.length;
    child.stdin?.on('error', () => undefined);
    child.stdin?.write(`${JSON.stringify(config)}\n`);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => this.said.push(line));
    await until(
      'the agent is ready',
      () => this.said.slice(from).some((line) => line.includes('"event":"ready"')) || child.exitCode !== null,
    );
    return child;
  }

  boardIs(state: 'ok' | 'lost' | 'refused', index = 0): boolean {
    return this.health !== undefined && this.health !== 'gone' && this.health.boards[index]?.state === state;
  }

  /** Sends one lease; `change` alters what an honest gateway would send. */
  lease(handset: string, forMs: number, change: Record<string, unknown> = {}): string {
    const now = process.hrtime.bigint();
    this.#lastNs = now > this.#lastNs ? now : this.#lastNs + 1n;
    const message = {
      connected: forMs > 0,
      forMs,
      sentNs: `${this.#lastNs}`,
      untilNs: `${now + BigInt(forMs) * 1_000_000n}`,
      boot: this.boot,
      ...change,
    };
    const text = JSON.stringify(message);
    this.bus.publish(`bus/line/${handset}/lease`, text);
    return text;
  }

  /** Leases as the gateway does, until told otherwise. */
  keepLeased(handset: string, forMs = 5_000, everyMs = 1_500): void {
    this.stopLeasing(handset);
    this.lease(handset, forMs);
    this.#refresh.set(
      handset,
      setInterval(() => this.lease(handset, forMs), everyMs),
    );
  }

  stopLeasing(handset: string): void {
    clearInterval(this.#refresh.get(handset));
    this.#refresh.delete(handset);
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async stop(): Promise<void> {
    for (const handset of [...this.#refresh.keys()]) this.stopLeasing(handset);
    await this.kill('SIGKILL');
    await this.bus.stop();
  }
}
