import { connect, type IClientOptions, type MqttClient } from 'mqtt';

/** Accounts and certificates, as mqtt.js takes them. */
export type BrokerAccess = Pick<IClientOptions, 'username' | 'password' | 'ca' | 'cert' | 'key'>;

/** One connection for one errand: it is not made again when it is lost. */
export interface BrokerClient {
  readonly client: MqttClient;
  readonly protocol: 5 | 4;
}

/** Refusals that mean the version and nothing else: MQTT 5 §3.2.2.2 and 3.1.1 §3.2.2.3, "unsupported protocol version". */
const VERSION_REFUSED = [0x84, 0x01];

/**
 * Connects in MQTT 5, and in 3.1.1 where the broker does not speak it: it says so, or hangs up without a word, as
 * nats-server does. Rejects with the broker's refusal, or with what the network said.
 */
export async function connectBroker(url: string, access: BrokerAccess = {}): Promise<BrokerClient> {
  const first = await attempt(url, access, 5);
  if (first.client !== undefined) return { client: first.client, protocol: 5 };
  if (!first.maySpeakOlder) throw first.fault;
  const second = await attempt(url, access, 4);
  if (second.client !== undefined) return { client: second.client, protocol: 4 };
  throw second.fault;
}

type Attempt =
  | { readonly client: MqttClient }
  | { readonly client?: undefined; readonly fault: Error; readonly maySpeakOlder: boolean };

function attempt(url: string, access: BrokerAccess, protocolVersion: 5 | 4): Promise<Attempt> {
  return new Promise((settle) => {
    const client = connect(url, { ...access, protocolVersion, reconnectPeriod: 0 });
    let last: Error | undefined;
    client.once('connect', () => settle({ client }));
    client.on('error', (fault) => {
      last = fault;
    });
    client.once('close', () => {
      client.end(true);
      const fault = last ?? new Error('the broker hung up without an answer');
      settle({ fault, maySpeakOlder: last === undefined || meansVersion(last) });
    });
  });
}

function meansVersion(fault: Error): boolean {
  // A broker's refusal carries the number of its CONNACK, the network's a word.
  const code = 'code' in fault ? fault.code : undefined;
  return typeof code === 'number' ? VERSION_REFUSED.includes(code) : code === 'ECONNRESET';
}
