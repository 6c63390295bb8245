/** The AsyncAPI 3 document of the uplink, made from the schemas of the messages: what travels by which topic, both ways. */
import { readFileSync } from 'node:fs';
import { programData } from '../gateway/config/paths.js';

type Json = { readonly [name: string]: unknown };

interface Channel {
  readonly name: string;
  /** Below balise/v1/{site}/{gateway}/. */
  readonly address: string;
  readonly schema: string;
  readonly title: string;
  readonly summary: string;
  readonly direction: 'up' | 'down';
  readonly qos: 1;
  readonly isRetained: boolean;
  readonly contentType?: string;
}

const CHANNELS: readonly Channel[] = [
  {
    name: 'presence',
    address: 'presence',
    schema: 'presence',
    title: 'Presence',
    summary: 'Whether the gateway is connected; the last will says offline.',
    direction: 'up',
    qos: 1,
    isRetained: true,
  },
  {
    name: 'status',
    address: 'status',
    schema: 'status',
    title: 'Status',
    summary: "The gateway's state, every 30 s and on change.",
    direction: 'up',
    qos: 1,
    isRetained: true,
  },
  {
    name: 'handset',
    address: 'handset/{handset}',
    schema: 'handset',
    title: 'Handset',
    summary: 'What one handset is doing.',
    direction: 'up',
    qos: 1,
    isRetained: true,
  },
  {
    name: 'line',
    address: 'line/{board}',
    schema: 'line',
    title: 'Line',
    summary: 'What one relay board says.',
    direction: 'up',
    qos: 1,
    isRetained: true,
  },
  {
    name: 'event',
    address: 'event',
    schema: 'event-envelope',
    title: 'Event',
    summary: 'A CloudEvent of the audit chain: everything that must not be lost, in order.',
    direction: 'up',
    qos: 1,
    isRetained: false,
    contentType: 'application/cloudevents+json',
  },
  {
    name: 'alarm',
    address: 'alarm',
    schema: 'event-envelope',
    title: 'Alarm',
    summary: 'A CloudEvent of the same chain that overtakes events.',
    direction: 'up',
    qos: 1,
    isRetained: false,
    contentType: 'application/cloudevents+json',
  },
  {
    name: 'ack',
    address: 'ack/{command}',
    schema: 'command-ack',
    title: 'CommandAck',
    summary: 'What became of a command, with measured times.',
    direction: 'up',
    qos: 1,
    isRetained: false,
  },
  {
    name: 'command',
    address: 'down/command',
    schema: 'command',
    title: 'Command',
    summary:
      'An order: a compact JWS (EdDSA) whose payload has this schema; obeyed once, within 30 s, by this gateway alone.',
    direction: 'down',
    qos: 1,
    isRetained: false,
    contentType: 'application/jose',
  },
  {
    name: 'policy',
    address: 'down/policy',
    schema: 'policy',
    title: 'Policy',
    summary:
      'A signed policy bundle; the gateway answers on ack/policy-<the first 16 digits of the SHA-256 of its text>.',
    direction: 'down',
    qos: 1,
    isRetained: true,
    contentType: 'application/jose',
  },
  {
    name: 'batch',
    address: 'down/batch',
    schema: 'contact-batch',
    title: 'ContactBatch',
    summary:
      'Contacts on loan: a compact JWS (EdDSA) whose payload has this schema; taken once, by this gateway alone, and answered on ack/<batch>. It is sent again until balise.work.batch-taken or batch-closed has come.',
    direction: 'down',
    qos: 1,
    isRetained: false,
    contentType: 'application/jose',
  },
];

/** Data of events that have a schema of their own. */
const DATA = [
  'call-ended',
  'alarm',
  'contact-batch-wanted',
  'contact-batch-taken',
  'contact-batch-closed',
  'work-contact',
  'work-score',
];

const PARAMETERS: Readonly<Record<string, string>> = {
  site: 'The site, as in site.json.',
  gateway: 'The gateway, as in site.json.',
  handset: 'The handset, as in handsets.json.',
  board: 'The board, as in boards.json.',
  command: "The command's id.",
};

/** The document, as a value. Schemas are carried whole, so that it stands by itself. */
export function asyncApi(version: string): Json {
  const schemas = new Map<string, Json>();
  const common = read('common.schema.json');
  for (const name of [...new Set(CHANNELS.map(({ schema }) => schema)), ...DATA]) {
    schemas.set(name, standingAlone(read(`messages/${name}.schema.json`), name, common));
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Balise uplink',
      version,
      description:
        'What a call gateway tells headquarters and is told by it, over MQTT 5 (3.1.1 as a fallback). Made from config/schema/messages; change those.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      broker: {
        host: 'broker.example:8883',
        protocol: 'secure-mqtt',
        description: "Headquarters' broker.",
        security: [{ $ref: '#/components/securitySchemes/certificate' }],
      },
    },
    channels: Object.fromEntries(CHANNELS.map((channel) => [channel.name, channelOf(channel)])),
    operations: Object.fromEntries(CHANNELS.map((channel) => [operationName(channel), operationOf(channel)])),
    components: {
      schemas: Object.fromEntries(
        [...schemas].map(([name, schema]) => [
          name,
          { schemaFormat: 'application/schema+json;version=draft-2020-12', schema },
        ]),
      ),
      messages: Object.fromEntries(CHANNELS.map((channel) => [channel.name, messageOf(channel)])),
      securitySchemes: {
        certificate: { type: 'X509', description: "The gateway's client certificate; or an account of the broker." },
      },
    },
  };
}

function channelOf({ name, address, summary }: Channel): Json {
  const whole = `balise/v1/{site}/{gateway}/${address}`;
  const names = [...whole.matchAll(/\{(\w+)\}/g)].map(([, parameter = '']) => parameter);
  return {
    address: whole,
    summary,
    parameters: Object.fromEntries(names.map((parameter) => [parameter, { description: PARAMETERS[parameter] }])),
    messages: { [name]: { $ref: `#/components/messages/${name}` } },
  };
}

/** Told from the gateway's side: it sends what goes up, and receives what comes down. */
function operationOf(channel: Channel): Json {
  const { name, direction, summary, qos, isRetained } = channel;
  return {
    action: direction === 'up' ? 'send' : 'receive',
    channel: { $ref: `#/channels/${name}` },
    summary,
    messages: [{ $ref: `#/channels/${name}/messages/${name}` }],
    bindings: { mqtt: { qos, retain: isRetained, bindingVersion: '0.2.0' } },
  };
}

const operationName = ({ name, direction }: Channel) =>
  `${direction === 'up' ? 'send' : 'receive'}${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`;

function messageOf({ schema, title, summary, contentType }: Channel): Json {
  return {
    name: title,
    title,
    summary,
    ...(contentType === undefined ? {} : { contentType }),
    payload: { $ref: `#/components/schemas/${schema}` },
  };
}

function read(path: string): Json {
  return JSON.parse(readFileSync(programData('schema', ...path.split('/')), 'utf8')) as Json;
}

/** A schema whose references lead nowhere outside of the document. */
function standingAlone(schema: Json, name: string, common: Json): Json {
  const base = `#/components/schemas/${name}/schema`;
  const visit = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(visit);
    if (typeof node !== 'object' || node === null) return node;
    const { $ref, $id: _, $schema: __, ...rest } = node as Json;
    const inside = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, visit(value)]));
    if (typeof $ref !== 'string') return inside;
    if ($ref.startsWith('#/')) return { ...inside, $ref: `${base}${$ref.slice(1)}` };
    const pointer = $ref.split('#/')[1] ?? '';
    const found = pointer.split('/').reduce<unknown>((at, step) => (at as Json | undefined)?.[step], common);
    if (found === undefined) throw new Error(`messages/${name}: $ref ${$ref} names nothing`);
    return { ...(visit(found) as Json), ...inside };
  };
  return visit(schema) as Json;
}
