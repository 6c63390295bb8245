import { CompactSign, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import type { Command } from '../../config/schema/types.generated.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { uuid7 } from '../../gateway/store/uuid7.js';

/** A private Ed25519 key as a JWK; `kid` is the name that gateways know its public half by. */
export type SigningKey = JWK & { readonly kid: string };

/** What is ordered, without what every command has. */
export type CommandOrder = Command extends infer C
  ? C extends Command
    ? Omit<C, 'id' | 'iat' | 'exp' | 'gateway'>
    : never
  : never;

/** A command's life, seconds; the gateway takes no longer one. */
export const COMMAND_LIFE_S = 30;

/** The order as a command for one gateway, from now on for 30 s. */
export function newCommand(clock: Clock, gateway: string, order: CommandOrder): Command {
  const ms = clock.wall().epochMilliseconds;
  const iat = Math.floor(ms / 1_000);
  return { id: uuid7(ms), iat, exp: iat + COMMAND_LIFE_S, gateway, ...order };
}

/** The command as a compact JWS (EdDSA). Rejects when the key is no private Ed25519 key. */
export function signCommand(privateJwk: SigningKey, command: Command): Promise<string> {
  return signValue(privateJwk, command);
}

/** Any value as a compact JWS (EdDSA). Rejects when the key is no private Ed25519 key. */
export async function signValue(privateJwk: SigningKey, value: object): Promise<string> {
  const key = await importJWK(privateJwk, 'EdDSA');
  return new CompactSign(Buffer.from(JSON.stringify(value)))
    .setProtectedHeader({ alg: 'EdDSA', kid: privateJwk.kid })
    .sign(key);
}

/** A new key: the private half for headquarters, the public one for `commandKeys` of uplink.json. */
export async function newSigningKey(
  kid: string,
): Promise<{ readonly privateJwk: SigningKey; readonly publicJwk: SigningKey }> {
  const { privateKey, publicKey } = await generateKeyPair('Ed25519', { extractable: true });
  return {
    privateJwk: { ...(await exportJWK(privateKey)), kid },
    publicJwk: { ...(await exportJWK(publicKey)), kid },
  };
}
