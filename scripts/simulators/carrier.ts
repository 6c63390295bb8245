import type Srf from 'drachtio-srf';
import { RtpPhone } from './rtp-phone.js';
import type { SipParty } from './sip-party.js';

export interface Carrier {
  /** Calls that are up now. */
  readonly live: number;
  close(): void;
}

/** A simulated carrier: rings for `ringMs`, answers every call, talks until somebody hangs up. */
export function startCarrier(party: SipParty, ringMs: number): Carrier {
  const phones = new Set<RtpPhone>();
  const answer = async (request: Srf.SrfRequest, response: Srf.SrfResponse): Promise<void> => {
    let cancelled = false;
    request.on('cancel', () => {
      cancelled = true;
    });
    response.send(180);
    await new Promise((resolve) => setTimeout(resolve, ringMs));
    if (cancelled) return;
    const phone = await RtpPhone.open(party.address);
    const dialog = await party.srf.createUAS(request, response, { localSdp: phone.sdp() });
    phones.add(phone);
    phone.talkTo(request.body);
    dialog.on('destroy', () => {
      phones.delete(phone);
      phone.close();
    });
  };
  party.srf.invite((request, response) => {
    // A caller that gives up between our answer and its ACK leaves nothing to do here.
    answer(request, response).catch(() => response.finalResponseSent || response.send(500));
  });
  party.srf.use('options', (_request, response) => response.send(200));
  return {
    get live() {
      return phones.size;
    },
    close() {
      for (const phone of phones) phone.close();
      phones.clear();
    },
  };
}
