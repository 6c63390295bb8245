import { type EventEmitter, once } from 'node:events';
import Srf from 'drachtio-srf';
import type { Test } from 'tap';
import { createEngine, type Engine, type EngineConfig, type EngineOptions } from '../../gateway/sip-engine/engine.js';
import { answerTo, UdpPeer } from './udp-peer.js';

export const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0\r\n';
export const SECRET = 'a secret of the test';

/** T1 of 20 ms: what takes 32 s takes 1.28 s. */
export const QUICK = { t1Ms: 20, t2Ms: 160, t4Ms: 200 };

export interface Rig {
  readonly engine: Engine;
  readonly port: number;
  readonly srf: Srf;
  /** `routes` were set before it connected, so they are known to the engine. */
  disconnect(): Promise<void>;
}

export type Handler = (req: Srf.SrfRequest, res: Srf.SrfResponse) => void;

/** Routes a verb to a handler; drachtio-srf has a method for every verb, and types for some. */
export function route(srf: Srf, verb: string, handler: Handler): void {
  (srf as unknown as Record<string, (handler: Handler) => void>)[verb]?.(handler);
}

/** The application's dialog of that id; drachtio-srf has the look-up, and no type for it. */
export function dialogById(srf: Srf, id: string): Srf.Dialog {
  const dialog = (srf as unknown as { findDialogById(id: string): Srf.Dialog | undefined }).findDialogById(id);
  if (dialog === undefined) throw new Error(`the application has no dialog ${id}`);
  return dialog;
}

/** An application's request outside of a dialog; drachtio-srf's type for it wants callbacks too. */
export function sendRequest(srf: Srf, uri: string, options: object): Promise<NodeJS.EventEmitter> {
  const { request: order } = srf as unknown as { request(uri: string, options: object): Promise<NodeJS.EventEmitter> };
  return order.call(srf, uri, options);
}

/** Calls `told` with the reason when the dialog ends from the far side. */
export function whenDestroyed(dialog: Srf.Dialog, told: (reason: string) => void): void {
  const emitter = dialog as unknown as { on(event: string, listener: (req: unknown, reason: string) => void): void };
  emitter.on('destroy', (_req, reason) => told(reason));
}

/** An engine and a real drachtio-srf application on it, both ended with the test. */
export async function startRig(
  test: Test,
  routes: (srf: Srf) => void,
  config: Partial<EngineConfig> = {},
  options: EngineOptions = {},
): Promise<Rig> {
  const whole = {
    listeners: [{ name: 'cell', address: '127.0.0.1', port: 0, transports: ['udp', 'tcp'] as const }],
    client: { address: '127.0.0.1', port: 0, secret: SECRET },
    ...config,
  };
  const engine = await createEngine(whole, options);
  const srf = new Srf();
  srf.on('error', () => undefined);
  routes(srf);
  const connected = once(srf as unknown as EventEmitter, 'connect');
  srf.connect({ host: '127.0.0.1', port: engine.client.port, secret: SECRET });
  await connected;
  // Routes are acknowledged in order; when this last one is, all are known.
  let there = true;
  const disconnect = async (): Promise<void> => {
    if (!there) return;
    there = false;
    srf.disconnect();
  };
  test.teardown(async () => {
    await disconnect();
    await engine.close();
  });
  await routesKnown(engine);
  return { engine, port: engine.listeners[0]?.port ?? 0, srf, disconnect };
}

/** Waits until the engine has been told of the application's routes: it answers OPTIONS with something other than 503. */
async function routesKnown(engine: Engine): Promise<void> {
  const port = engine.listeners[0]?.port ?? 0;
  const isSix = engine.listeners[0]?.address.includes(':');
  const peer = await UdpPeer.open(isSix ? '::1' : undefined);
  for (let attempt = 1; ; attempt++) {
    peer.send(request('OPTIONS', peer, port, { callId: `known-${attempt}` }), port);
    const answer = await peer.next((text) => text.startsWith('SIP/2.0 '));
    if (!answer.startsWith('SIP/2.0 503')) break;
  }
  peer.close();
}

export interface RequestOptions {
  readonly callId?: string;
  readonly cseq?: number;
  readonly branch?: string;
  readonly fromTag?: string;
  readonly to?: string;
  readonly user?: string;
  readonly more?: readonly string[];
  readonly body?: string;
  readonly cseqMethod?: string;
  readonly version?: string;
}

let branches = 0;

/** A request of a peer, complete and plain. */
export function request(
  method: string,
  from: { readonly port: number },
  to: number,
  options: RequestOptions = {},
): string {
  const user = options.user ?? 'callee';
  const body = options.body ?? '';
  return [
    `${method} sip:${user}@127.0.0.1:${to} ${options.version ?? 'SIP/2.0'}`,
    `Via: SIP/2.0/UDP 127.0.0.1:${from.port};branch=${options.branch ?? `z9hG4bKtest${++branches}`};rport`,
    'Max-Forwards: 70',
    `From: <sip:caller@127.0.0.1:${from.port}>;tag=${options.fromTag ?? 'caller'}`,
    `To: ${options.to ?? `<sip:${user}@127.0.0.1:${to}>`}`,
    `Call-ID: ${options.callId ?? 'call'}`,
    `CSeq: ${options.cseq ?? 1} ${options.cseqMethod ?? method}`,
    `Contact: <sip:caller@127.0.0.1:${from.port}>`,
    ...(options.more ?? []),
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

/** A UDP peer that is closed with the test. */
export async function openPeer(test: Test): Promise<UdpPeer> {
  const peer = await UdpPeer.open();
  test.teardown(() => peer.close());
  return peer;
}

/** Answers every BYE of an engine, also of one that is closing. */
export function answerByes(peer: UdpPeer, port: number): void {
  peer.socket.on('message', (data) => {
    const text = data.toString('latin1');
    if (text.startsWith('BYE ')) peer.send(answerTo(text, '200 OK'), port);
  });
}
