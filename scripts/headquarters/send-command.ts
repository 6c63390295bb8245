import type { Command, CommandAck } from '../../config/schema/types.generated.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { bundleAckId } from '../../gateway/policy-bundle/bundle.js';
import { type BrokerAccess, connectBroker } from './broker-client.js';
import { type SigningKey, signCommand } from './sign-command.js';

interface Errand {
  readonly url: string;
  readonly connection?: BrokerAccess;
  readonly clock: Clock;
  /** How long to wait for the end, milliseconds. Default 40 s. */
  readonly timeoutMs?: number;
  /** Each answer, `accepted` too. */
  readonly onAck?: (ack: CommandAck) => void;
}

export interface SendOptions extends Errand {
  readonly key: SigningKey;
  readonly command: Command;
}

export interface PublishOptions extends Errand {
  /** `<site>/<gateway>`. */
  readonly gateway: string;
  /** The signed bundle, as `balise policy sign` makes it. */
  readonly bundle: string;
}

const WAIT_MS = 40_000;

/** Signs and sends one command; settles with its last answer (done, failed or refused). Rejects when none comes in time. */
export async function sendCommand(options: SendOptions): Promise<CommandAck> {
  const { key, command } = options;
  const message = { topic: 'down/command', text: await signCommand(key, command), retain: false };
  return run(options, command.gateway, command.id, message);
}

/**
 * Puts a signed bundle on a gateway's retained topic; settles with its answer, the last one, or `accepted` for a bundle that is
 * valid later. Rejects when none comes in time: the bundle stays on the topic, and the gateway takes it when it comes.
 */
export function publishPolicy(options: PublishOptions): Promise<CommandAck> {
  const { gateway, bundle } = options;
  return run(options, gateway, bundleAckId(bundle), { topic: 'down/policy', text: bundle, retain: true }, true);
}

async function run(
  { url, connection, clock, timeoutMs, onAck }: Errand,
  gateway: string,
  ackId: string,
  { topic, text, retain }: { readonly topic: string; readonly text: string; readonly retain: boolean },
  acceptedEnds = false,
): Promise<CommandAck> {
  const { client } = await connectBroker(url, connection);
  const base = `balise/v1/${gateway}`;
  try {
    await client.subscribeAsync(`${base}/ack/${ackId}`, { qos: 1 });
    const answered = new Promise<CommandAck>((settle, reject) => {
      const timer = clock.after(timeoutMs ?? WAIT_MS, () => reject(new Error('the gateway has not answered')));
      client.on('close', () => reject(new Error('the broker hung up')));
      client.on('message', (_topic, payload) => {
        const ack = JSON.parse(payload.toString('utf8')) as CommandAck;
        onAck?.(ack);
        if (ack.state === 'accepted' && !acceptedEnds) return;
        timer.cancel();
        settle(ack);
      });
    });
    answered.catch(() => undefined);
    await client.publishAsync(`${base}/${topic}`, text, { qos: 1, retain });
    return await answered;
  } finally {
    client.end(true);
  }
}
