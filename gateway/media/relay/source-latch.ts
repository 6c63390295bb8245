import { BlockList, isIP } from 'node:net';
import type { PeerAddress } from '../control-protocol.js';

/** How long after the answer the first packets may still come from elsewhere than the SDP said. */
export const LATCH_MS = 2_000;
const NONE = -1;

/** Networks in CIDR notation as a list to check against. Throws TypeError on anything else. */
export function networkList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix = ''] = network.split('/');
    const bits = isIP(address) === 6 ? 128 : 32;
    if (isIP(address) === 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > bits)
      throw new TypeError(`"${network}" is no network in CIDR notation`);
    list.addSubnet(address, Number(prefix), bits === 128 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/**
 * Where one side's packets may come from, and where packets to it go (symmetric RTP, RFC 4961).
 *
 * Before the answer: from the SDP's address alone. For 2 s after it the first good packet of an allowed network latches
 * address and port; a packet from exactly the SDP's address and port takes precedence over any other, and the SSRC may
 * still change. Then address, port and SSRC are locked for good: what does not match is injection.
 */
export class SourceLatch {
  readonly #sdpAddress: string;
  readonly #sdpPort: number;
  readonly #networks: BlockList;
  #phase: 'unanswered' | 'latching' | 'locked' = 'unanswered';
  #latchUntilMs = 0;
  #held = false;
  #ssrc = NONE;
  /** Where packets to this side go. */
  address: string;
  port: number;

  constructor(peer: Pick<PeerAddress, 'address' | 'port'>, networks: BlockList) {
    this.#sdpAddress = this.address = peer.address;
    this.#sdpPort = this.port = peer.port;
    this.#networks = networks;
  }

  /** The far end answered. Only the first call counts: a re-arm opens no second window. */
  answered(nowMs: number): void {
    if (this.#phase !== 'unanswered') return;
    this.#phase = 'latching';
    // Ring-back often comes from another source than the answer's speech.
    this.#ssrc = NONE;
    this.#latchUntilMs = nowMs + LATCH_MS;
  }

  /** Whether a packet may come from there; it changes nothing, so that a malformed packet can move no latch. */
  allows(address: string, port: number, ssrc: number, nowMs: number): boolean {
    if (this.#phase === 'locked') return this.#isPeer(address, port) && (ssrc === this.#ssrc || this.#ssrc === NONE);
    if (this.#phase === 'unanswered') return address === this.#sdpAddress;
    if (nowMs >= this.#latchUntilMs) {
      this.#phase = 'locked';
      return this.allows(address, port, ssrc, nowMs);
    }
    if (this.#held) return this.#isPeer(address, port) || (address === this.#sdpAddress && port === this.#sdpPort);
    return address === this.#sdpAddress || this.#networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }

  /** Takes a packet that was allowed and is well formed; true when its SSRC is another than the last one's. */
  take(address: string, port: number, ssrc: number): boolean {
    // What was allowed before the answer, or once it is locked, moves nothing.
    if (this.#phase === 'latching') {
      if (!this.#isPeer(address, port)) {
        this.address = address;
        this.port = port;
      }
      this.#held = true;
    }
    if (ssrc === this.#ssrc) return false;
    this.#ssrc = ssrc;
    return true;
  }

  #isPeer(address: string, port: number): boolean {
    return port === this.port && address === this.address;
  }
}
