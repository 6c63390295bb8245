import type { BlockList } from 'node:net';
import type { HandsetId, TrunkId } from '../policy/ids.js';
import type { Ha1 } from './digest.js';

/** A handset as signalling knows it. */
export interface HandsetAccount {
  readonly handset: HandsetId;
  readonly user: string;
  readonly ha1: Ha1;
  /** The address range of its wing. */
  readonly network: BlockList;
}

/** Something that a person should know of: an attack, a fault, a peer that breaks the rules. */
export type Violation = {
  readonly code: string;
  readonly detail: string;
  readonly handset?: HandsetId;
  readonly address?: string;
};

/** Our account at a carrier. */
export interface TrunkCredentials {
  readonly username: string;
  readonly password: string;
  /** Challenges of this realm alone are answered; absent: of any. */
  readonly realm?: string;
}

/** One trunk, as signalling uses it. */
export interface TrunkAccount {
  readonly id: TrunkId;
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** Where its signalling comes from; absent: only from where it answered. */
  readonly network?: BlockList;
  readonly auth?: TrunkCredentials;
  /** Whether the carrier is to hide the caller's number from callees; absent: it is not. */
  readonly privacy?: 'id';
  /** Registers with the carrier, by `auth`. */
  readonly register?: boolean;
  /** How often to ask by OPTIONS whether it is there, seconds; 0 or absent: never. */
  readonly optionsS?: number;
}
