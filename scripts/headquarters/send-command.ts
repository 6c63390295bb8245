import { connectAsync, type IClientOptions } from 'mqtt';
import type { Command, CommandAck } from '../../config/schema/types.generated.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { type SigningKey, signCommand } from './sign-command.js';

export interface SendOptions {
  readonly url: string;
  readonly connection?: Pick<IClientOptions, 'username' | 'password' | 'ca' | 'cert' | 'key'>;
  readonly key: SigningKey;
  readonly command: Command;
  readonly clock: Clock;
  /** How long to wait for the end, milliseconds. Default 40 s. */
  readonly timeoutMs?: number;
  /** Each answer, `accepted` too. */
  readonly onAck?: (ack: CommandAck) => void;
}

/** Signs and sends one command; settles with its last answer (done, failed or refused). Rejects when none comes in time. */
export async function sendCommand(options: SendOptions): Promise<CommandAck> {
  const { url, connection, key, command, clock, onAck } = options;
  const client = await connectAsync(url, { ...connection, protocolVersion: 4, reconnectPeriod: 0 }, false);
  const base = `balise/v1/${command.gateway}`;
  try {
    await client.subscribeAsync(`${base}/ack/${command.id}`, { qos: 1 });
    const answered = new Promise<CommandAck>((settle, reject) => {
      const timer = clock.after(options.timeoutMs ?? 40_000, () => reject(new Error('the gateway has not answered')));
      client.on('close', () => reject(new Error('the broker hung up')));
      client.on('message', (_topic, payload) => {
        const ack = JSON.parse(payload.toString('utf8')) as CommandAck;
        onAck?.(ack);
        if (ack.state === 'accepted') return;
        timer.cancel();
        settle(ack);
      });
    });
    answered.catch(() => undefined);
    await client.publishAsync(`${base}/down/command`, await signCommand(key, command), { qos: 1 });
    return await answered;
  } finally {
    client.end(true);
  }
}
