/** A site's relay, its media plane and those who listen to it, joined as the gateway joins them. */
import { generateKeyPairSync } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { CompactSign } from 'jose';
import { pino } from 'pino';
import type { Test } from 'tap';
import type { CutoffOrder, EventDraft } from '../../gateway/calls/ports.js';
import type { SiteFiles } from '../../gateway/config/site.js';
import { RelayPlane } from '../../gateway/media/relay-plane.js';
import { SiteListening } from '../../gateway/site-listening.js';
import { CALL, connected, deadlineIn, Ear, orderOf } from './plane-ear.js';
import { clock, startRelay } from './relay-process.js';
import { RtpParty } from './rtp-party.js';

export const NUMBER = '+442079460001';

export interface ListeningParts {
  readonly privileged?: readonly string[];
  readonly supervised?: boolean;
  /** Files of its folder of warrants before it starts, by their names. */
  readonly warrants?: (sign: (said: object) => Promise<string>) => Promise<Readonly<Record<string, string>>>;
}

/** Starts it all; stopped with the test. */
export async function listeningSite(t: Test, { privileged = [], supervised = true, warrants }: ListeningParts = {}) {
  const dataFolder = mkdtempSync(join(tmpdir(), 'balise-listening-'));
  t.teardown(() => rmSync(dataFolder, { recursive: true, force: true }));
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const commandKeys = [{ kty: 'OKP' as const, crv: 'Ed25519' as const, x, kid: 'hq' }];
  const sign = (said: object): Promise<string> =>
    new CompactSign(Buffer.from(JSON.stringify(said))).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey);
  const identity = await generateIdentity();
  const keyFile = join(dataFolder, 'key.txt');
  writeFileSync(keyFile, `${identity}\n`);
  mkdirSync(join(dataFolder, 'warrants'));
  for (const [name, text] of Object.entries((await warrants?.(sign)) ?? {}))
    writeFileSync(join(dataFolder, 'warrants', name), text);

  const audit: EventDraft[] = [];
  const alarms: string[] = [];
  const cutoffs: CutoffOrder[] = [];
  const news = new EventEmitter();
  /** Whether the disk takes entries of the audit chain. */
  const disk = { takes: true };
  const recording = { recipient: await identityToRecipient(identity), days: 30, reserveMb: 0 };
  const ear = new Ear();
  const plane: RelayPlane = new RelayPlane({
    clock,
    log: pino({ level: 'silent' }),
    sink: ear,
    onArmed: (call, order) => listening.armed(call, order),
    onClosed: (call) => listening.closed(call),
  });
  const listening: SiteListening = new SiteListening({
    files: { dataFolder, uplink: { commandKeys }, site: { media: { privileged, recording } } } as unknown as SiteFiles,
    clock,
    tap: (...order) => plane.tap(...order),
    isSupervised: () => supervised,
    cut: async (order) => {
      cutoffs.push(order);
      plane.close(CALL);
      return { id: order.id, calls: 1, silentMs: 0, byesSentMs: 0, relaysOpenMs: 0, complete: true };
    },
    append: (event) => {
      if (!disk.takes) throw new Error('the disk takes nothing');
      audit.push(event);
      news.emit('news');
    },
    onAlarm: (code) => alarms.push(code),
  });
  await listening.start();
  const { socket } = await startRelay(t);
  await plane.attach(socket);
  t.teardown(async () => {
    await listening.stop();
    plane.detach();
  });
  const entries = (): string[] => audit.map(({ type }) => type.replace('balise.', ''));
  /** Settles when the audit chain has so many entries. */
  const audited = async (count: number): Promise<void> => {
    while (audit.length < count) await once(news, 'news', { signal: AbortSignal.timeout(8_000) });
  };
  /** Takes a call to this number as far as its talk. */
  const talk = async (number: string = NUMBER) => {
    const [handset, trunk] = [await RtpParty.at('127.0.0.1', 1), await RtpParty.at('127.0.0.1', 2)];
    t.teardown(() => {
      handset.close();
      trunk.close();
    });
    plane.open(CALL, orderOf(handset, number));
    const sides = await connected(plane, ear, trunk);
    plane.arm(CALL, deadlineIn(60_000), []);
    await ear.heard('armed');
    return { handset, trunk, ...sides };
  };
  return { dataFolder, keyFile, plane, listening, audit, entries, audited, alarms, cutoffs, disk, sign, talk };
}
