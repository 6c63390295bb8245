/**
 * Whether an order is genuine: a compact JWS (RFC 7515) signed with Ed25519 (RFC 8037) by a key that this gateway knows, for
 * this gateway, now. Whether it was seen before is for the store to say, after this.
 */
import type { CryptoKey } from 'jose';
import type { Ed25519PublicKey } from '../../config/schema/types.generated.js';
import type { Clock } from '../clock/clock.js';
import { type Command, commandIn, idIn } from './command-form.js';

/** Why a command was refused; stable codes that headquarters sees. */
export type CommandRefusalCode =
  | 'too-long'
  | 'unsigned'
  | 'unknown-key'
  | 'bad-signature'
  | 'malformed'
  | 'foreign'
  | 'not-yet'
  | 'expired'
  | 'long-lived'
  | 'replayed'
  | 'clock-untrusted'
  | 'store-failed';

export interface CommandRefusal {
  readonly genuine: false;
  readonly why: CommandRefusalCode;
  readonly detail: string;
  /** As the payload says it, if it says one that a topic may hold; nobody has vouched for it. */
  readonly id?: string;
}

export type CommandVerdict = CommandRefusal | { readonly genuine: true; readonly command: Command };

/** The most that a command may hold, bytes. */
const LONGEST = 16 * 1024;
/** The longest life of a command, seconds. */
const LIFE_S = 30;
/** How far headquarters' clock may be ahead of ours, seconds. */
const AHEAD_S = 5;

/** Orders that give leave, and are not obeyed while it cannot be told whether they are of today. */
const WIDENS: readonly Command['type'][] = ['release', 'warrant'];

type Key = CryptoKey | Uint8Array;

export interface CommandGateOptions {
  readonly keys: readonly Ed25519PublicKey[];
  /** `<site>/<gateway>`. */
  readonly gatewayId: string;
  readonly clock: Clock;
}

export class CommandGate {
  private keys: Promise<ReadonlyMap<string, Promise<Key>>> | undefined;

  constructor(private readonly options: CommandGateOptions) {}

  /** Makes ready what the first command would have to wait for, and the start of the gateway need not. */
  warm(): void {
    commandIn(undefined);
    // What is wrong with it is told of the first command.
    this.known().catch(() => undefined);
  }

  private known(): Promise<ReadonlyMap<string, Promise<Key>>> {
    this.keys ??= this.readKeys();
    return this.keys;
  }

  private async readKeys(): Promise<ReadonlyMap<string, Promise<Key>>> {
    const { importJWK } = await import('jose');
    const keys = this.options.keys.map((jwk) => [jwk.kid, importJWK({ ...jwk }, 'EdDSA')] as const);
    // A key that cannot be used shows as a bad signature later, and never as an unhandled rejection.
    for (const [, key] of keys) key.catch(() => undefined);
    return new Map(keys);
  }

  /** Judges what came on `down/command`. Never rejects. */
  async judge(payload: Uint8Array): Promise<CommandVerdict> {
    if (payload.length > LONGEST) return refused('too-long', `${payload.length} bytes, and ${LONGEST} is the most`);
    const text = Buffer.from(payload).toString('utf8').trim();
    const id = idIn(text);
    const verdict = await this.judgeText(text);
    return verdict.genuine || id === undefined ? verdict : { ...verdict, id };
  }

  private async judgeText(text: string): Promise<CommandVerdict> {
    const { compactVerify, decodeProtectedHeader, errors } = await import('jose');
    let kid: string | undefined;
    try {
      kid = decodeProtectedHeader(text).kid;
    } catch {
      return refused('unsigned', 'it is no compact JWS');
    }
    const key = kid === undefined ? undefined : (await this.known()).get(kid);
    if (key === undefined) {
      return refused('unknown-key', kid === undefined ? 'its header names no key' : 'its key is none of commandKeys');
    }
    let content: unknown;
    try {
      const { payload } = await compactVerify(text, await key, { algorithms: ['EdDSA', 'Ed25519'] });
      content = JSON.parse(Buffer.from(payload).toString('utf8'));
    } catch (fault) {
      if (fault instanceof SyntaxError) return refused('malformed', 'its payload is not JSON');
      const what = fault instanceof errors.JOSEError ? fault.code : 'the key cannot be used';
      return refused('bad-signature', what);
    }
    return this.judgeContent(content);
  }

  private judgeContent(content: unknown): CommandVerdict {
    const formed = commandIn(content);
    if ('fault' in formed) return refused('malformed', formed.fault);
    const { command } = formed;
    if (command.gateway !== this.options.gatewayId) return refused('foreign', 'it is for another gateway');
    const nowS = Number(this.options.clock.wall().epochNanoseconds) / 1e9;
    if (command.exp <= nowS) return refused('expired', `it lapsed ${(nowS - command.exp).toFixed(1)} s ago`);
    if (command.exp - command.iat > LIFE_S) return refused('long-lived', `it lives longer than ${LIFE_S} s`);
    if (command.iat > nowS + AHEAD_S) {
      return refused('not-yet', `it is from ${(command.iat - nowS).toFixed(1)} s ahead of our clock`);
    }
    // With a clock that was set back an old order would be in time again, long after its id was forgotten. What only takes away is done.
    if (WIDENS.includes(command.type) && !this.options.clock.trust().trusted)
      return refused('clock-untrusted', 'our clock is not believed, and this order gives leave');
    return { genuine: true, command };
  }
}

function refused(why: CommandRefusalCode, detail: string): CommandRefusal {
  return { genuine: false, why, detail };
}
