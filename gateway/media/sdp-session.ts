import { type MediaDescription, parsePayloads, type SessionDescription, write } from 'sdp-transform';
import { answerTo, type Direction, parseSafely, sendsTo } from './sdp.js';

const STATIC: Readonly<Record<number, string>> = { 0: 'pcmu/8000', 8: 'pcma/8000', 9: 'g722/8000' };

/**
 * What both sides of one leg have agreed to say and hear. A later offer may refresh or hold it, at the same addresses and
 * with the codecs that are spoken; whatever else it asks for would be another session.
 */
export class SdpSession {
  /** As they were exchanged, and read when there is a later offer; most calls see none. */
  readonly #exchanged: { readonly theirs: string; readonly ours: string };
  #read: Agreed | undefined;
  /** How often our description has been written anew. */
  #written = 0;
  #asked: Direction = 'sendrecv';
  #last: string;

  /**
   * `theirs` and `ours` are the SDP of either side as exchanged. `mayOfferMore`: the peer may offer codecs that it has not
   * named before, as carriers do; they are not taken up.
   */
  constructor(
    theirs: string,
    ours: string,
    private readonly mayOfferMore: boolean,
  ) {
    this.#exchanged = { theirs, ours };
    this.#last = ours;
  }

  get #agreed(): Agreed {
    this.#read ??= agreed(this.#exchanged.theirs, this.#exchanged.ours);
    return this.#read;
  }

  /** What the peer last asked to speak and hear, in its own words. */
  get asked(): Direction {
    return this.#asked;
  }

  /** Our own description as the peer has it now. */
  get current(): string {
    return this.#last;
  }

  /** Our own description anew: for a peer that asks for an offer. */
  offer(): string {
    return this.#write('sendrecv', payloadsOf(audioOf(this.#agreed.ours)));
  }

  /** Our answer to this offer; undefined when it would change the session. */
  answer(offer: string): string | undefined {
    const { theirs: before, spoken: mustBe } = this.#agreed;
    const now = read(offer);
    if (before === undefined || now === undefined || now.media.length !== before.media.length) return undefined;
    for (const [at, media] of now.media.entries()) {
      const was = before.media[at];
      if (was === undefined || !this.#isSame({ session: now, media }, { session: before, media: was }))
        return undefined;
    }
    const spoken = now.media.find(({ port }) => port !== 0);
    const payloads = payloadsOf(spoken);
    if (spoken === undefined || !mustBe.every((payload) => payloads.includes(payload))) return undefined;
    const said = (spoken.direction ?? now.direction ?? 'sendrecv') as Direction;
    const direction = isNowhere({ session: now, media: spoken }) ? (sendsTo(said) ? 'sendonly' : 'inactive') : said;
    this.#asked = direction;
    // Whether the other leg speaks and hears is the relay's affair: here the peer has what it asked for.
    return this.#write(answerTo(direction, 'sendrecv'), mustBe);
  }

  #isSame(now: Line, was: Line): boolean {
    const { media } = now;
    if (media.type !== was.media.type || media.protocol !== was.media.protocol || media.port !== was.media.port)
      return false;
    if (media.port === 0) return true;
    const isThere = addressOf(now) === addressOf(was) || isNowhere(now);
    if (!isThere || rtcpOf(now) !== rtcpOf(was)) return false;
    const known = payloadsOf(was.media);
    return payloadsOf(media).every((payload) =>
      known.includes(payload) ? formatOf(media, payload) === formatOf(was.media, payload) : this.mayOfferMore,
    );
  }

  #write(direction: Direction, payloads: readonly number[]): string {
    const { ours } = this.#agreed;
    if (ours?.origin === undefined) return '';
    this.#written += 1;
    const sessionVersion = Number(ours.origin.sessionVersion) + this.#written;
    const isOurs = ({ payload }: { payload: number }): boolean => payloads.includes(payload);
    const media = ours.media.map((line) =>
      line.port === 0
        ? line
        : {
            ...line,
            direction,
            payloads: payloads.join(' '),
            rtp: line.rtp.filter(isOurs),
            fmtp: line.fmtp.filter(isOurs),
          },
    );
    this.#last = write({ ...ours, origin: { ...ours.origin, sessionVersion }, media });
    return this.#last;
  }
}

/** What either side said, and the payload types that both have. */
interface Agreed {
  readonly theirs: SessionDescription | undefined;
  readonly ours: SessionDescription | undefined;
  readonly spoken: readonly number[];
}

function agreed(their: string, our: string): Agreed {
  const [theirs, ours] = [read(their), read(our)];
  const named = new Set(payloadsOf(theirs?.media[0]));
  return { theirs, ours, spoken: payloadsOf(audioOf(ours)).filter((payload) => named.has(payload)) };
}

const audioOf = (session: SessionDescription | undefined): MediaDescription | undefined =>
  session?.media.find(({ port }) => port !== 0);

interface Line {
  readonly session: SessionDescription;
  readonly media: MediaDescription;
}

/** Whatever cannot be read describes no session. */
function read(sdp: string): SessionDescription | undefined {
  const session = parseSafely(sdp);
  return 'fault' in session ? undefined : session;
}

const payloadsOf = (media: MediaDescription | undefined): number[] => parsePayloads(String(media?.payloads ?? ''));

const addressOf = ({ session, media }: Line): string => JSON.stringify(media.connection ?? session.connection);

/** No address: nothing is to be sent there, which was once the only way to hold a call (RFC 3264 §8.4). */
const isNowhere = ({ session, media }: Line): boolean => (media.connection ?? session.connection)?.ip === '0.0.0.0';

const rtcpOf = ({ media }: Line): string =>
  `${media.rtcp?.port ?? media.port + 1} ${media.rtcp?.address ?? ''} ${media.rtcpMux ?? ''}`;

/** What a payload type stands for on this line. */
function formatOf(media: MediaDescription, payload: number): string {
  const map = media.rtp.find((one) => one.payload === payload);
  return map === undefined ? (STATIC[payload] ?? '') : `${map.codec}/${map.rate}`.toLowerCase();
}
