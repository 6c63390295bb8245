import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { answers, freePort } from '../../scripts/peers/free-port.js';

const LIBRARY = '/usr/lib/rabbitmq/lib';

function programs(): string {
  const [newest] = existsSync(LIBRARY) ? readdirSync(LIBRARY).sort().reverse() : [];
  if (newest === undefined) throw new Error('rabbitmq-server is not installed');
  return join(LIBRARY, newest, 'sbin');
}

/** Two RabbitMQ nodes of the test's own, joined as a cluster, MQTT plugin on: own ports, own folder, own name service of Erlang's. */
export class RabbitCluster {
  readonly mqttPorts: number[] = [];
  private readonly nodes: (ChildProcess | undefined)[] = [];
  private readonly env: NodeJS.ProcessEnv[] = [];
  private epmd: ChildProcess | undefined;

  private constructor(private readonly folder: string) {}

  static async start(t: Test): Promise<RabbitCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'balise-rabbit-'));
    const cluster = new RabbitCluster(folder);
    t.teardown(() => cluster.close());
    writeFileSync(join(folder, '.erlang.cookie'), 'balise-tests', { mode: 0o400 });
    writeFileSync(join(folder, 'plugins'), '[rabbitmq_mqtt].\n');
    const epmdPort = await freePort();
    // The name service of the nodes, started by us so that it does not outlive them.
    cluster.epmd = spawn('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], { stdio: 'ignore' });
    const names = ['one', 'two'].map((name) => `balise-${name}@localhost`);
    for (const [n, name] of names.entries()) {
      const [amqp, dist, mqtt] = [await freePort(), await freePort(), await freePort()];
      const home = join(folder, `node-${n}`);
      mkdirSync(home);
      writeFileSync(
        join(home, 'rabbitmq.conf'),
        [
          `listeners.tcp.1 = 127.0.0.1:${amqp}`,
          `mqtt.listeners.tcp.1 = 127.0.0.1:${mqtt}`,
          'mqtt.allow_anonymous = true',
          'mqtt.default_user = guest',
          'mqtt.default_pass = guest',
          'cluster_formation.peer_discovery_backend = classic_config',
          ...names.map((other, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${other}`),
          'log.console = false',
          '',
        ].join('\n'),
      );
      cluster.mqttPorts.push(mqtt);
      cluster.env.push({
        ...process.env,
        HOME: folder,
        ERL_EPMD_PORT: String(epmdPort),
        ERL_EPMD_ADDRESS: '127.0.0.1',
        RABBITMQ_NODENAME: name,
        RABBITMQ_NODE_PORT: String(amqp),
        RABBITMQ_DIST_PORT: String(dist),
        RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq'),
        RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
        RABBITMQ_MNESIA_BASE: home,
        RABBITMQ_LOG_BASE: home,
        RABBITMQ_PID_FILE: join(home, 'pid'),
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}',
      });
    }
    for (const n of names.keys()) await cluster.startNode(n);
    return cluster;
  }

  /** Settles when its MQTT port takes connections. */
  async startNode(n: number): Promise<void> {
    const child = spawn(join(programs(), 'rabbitmq-server'), [], {
      env: this.env[n],
      stdio: ['ignore', 'ignore', 'ignore'],
      // A group of its own: the script starts the virtual machine as a child.
      detached: true,
    });
    this.nodes[n] = child;
    while (!(await answers(this.mqttPorts[n] ?? 0))) {
      if (child.exitCode !== null) throw new Error(`node ${n} ended with status ${child.exitCode}`);
      await new Promise((settle) => setTimeout(settle, 200));
    }
  }

  /** As a power cut does. */
  async kill(n: number): Promise<void> {
    const child = this.nodes[n];
    this.nodes[n] = undefined;
    if (child?.pid === undefined || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    process.kill(-child.pid, 'SIGKILL');
    await gone;
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((_, n) => this.kill(n)));
    this.epmd?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What stands before a cluster: passes each connection on to the first node that answers. */
export async function loadBalancer(t: Test, ports: readonly number[]): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const join = ([port, ...others]: readonly number[]): void => {
      if (port === undefined) {
        near.destroy();
        return;
      }
      const far = connect(port, '127.0.0.1');
      far.once('error', () => join(others));
      far.once('connect', () => {
        far.removeAllListeners('error');
        for (const [one, other] of [
          [near, far],
          [far, near],
        ] as const) {
          sockets.add(one);
          one.on('error', () => other.destroy());
          one.on('close', () => other.destroy());
        }
        near.pipe(far).pipe(near);
      });
    };
    near.on('error', () => undefined);
    join(ports);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const bound = server.address();
  return `mqtt://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
}
