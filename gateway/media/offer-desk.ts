import { BlockList, isIPv6 } from 'node:net';
import type { VoiceCodec } from './control-protocol.js';
import { type HandsetOffer, readOffer, type SdpFault } from './sdp.js';

/** Takes handsets' offers: what can be used, from an address in some wing. */
export class OfferDesk {
  readonly #cell: BlockList | undefined;

  /** `cell`: the wings' networks in CIDR notation; where none are given, an address may be anywhere. */
  constructor(cell: readonly string[]) {
    if (cell.length === 0) return;
    this.#cell = new BlockList();
    for (const network of cell) {
      const [address = '', prefix = ''] = network.split('/');
      this.#cell.addSubnet(address, Number(prefix), familyOf(address));
    }
  }

  read(sdp: string, codecs: readonly VoiceCodec[]): HandsetOffer | SdpFault {
    const offer = readOffer(sdp, codecs);
    if ('fault' in offer || this.#cell === undefined) return offer;
    if (this.#cell.check(offer.address, familyOf(offer.address))) return offer;
    return { fault: 'media.bad-address', why: 'the media address is in no wing' };
  }
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');
