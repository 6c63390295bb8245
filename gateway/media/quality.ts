/** Call quality as people state it, from what the relay counts. */
import type { MediaStats, StreamQuality } from '../calls/record.js';
import type { CallCounters, SideQuality } from './control-protocol.js';

/** R of a call of G.711 with nothing wrong (ITU-T G.107 table 3). */
const BEST_R = 93.2;
/** Delay beyond which talkers begin to fall into each other's words, milliseconds (G.107 §7.4, as Cole and Rosenbluth simplify it). */
const DELAY_KNEE_MS = 177.3;
/** G.711 with concealment of lost packets: Ie = 0, Bpl = 25.1 (ITU-T G.113 table I.4). */
const ROBUSTNESS = 25.1;
/** A packet's own length, and a jitter buffer of twice the jitter. */
const PACKET_MS = 20;
const JITTER_BUFFER = 2;

export interface Impairments {
  /** One way, milliseconds, without what the ends themselves add. */
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Lost of all expected, 0 to 1. */
  readonly lossShare: number;
}

/**
 * The mean opinion score that listeners would give, 1 to 4.41: the E-model (ITU-T G.107) with all but delay and loss at its
 * defaults, and from R to MOS by its annex B.
 */
export function meanOpinion({ delayMs, jitterMs, lossShare }: Impairments): number {
  const delay = delayMs + PACKET_MS + JITTER_BUFFER * jitterMs;
  const byDelay = 0.024 * delay + (delay > DELAY_KNEE_MS ? 0.11 * (delay - DELAY_KNEE_MS) : 0);
  const percent = 100 * lossShare;
  const byLoss = (95 * percent) / (percent + ROBUSTNESS);
  return opinionOf(BEST_R - byDelay - byLoss);
}

/** The mean opinion of a transmission rating R (G.107 annex B). */
export function opinionOf(rating: number): number {
  const r = Math.max(0, Math.min(100, rating));
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

/** The relay's counts as the call's record has them. */
export function statsOf(counters: CallCounters): MediaStats {
  const { handset, trunk, ...rest } = counters;
  // What one side hears of the other has come all the way: both trips, half of each.
  const delayMs = ((handset.roundTripMs ?? 0) + (trunk.roundTripMs ?? 0)) / 2;
  return { ...rest, handset: qualityOf(handset, delayMs), trunk: qualityOf(trunk, delayMs) };
}

function qualityOf(
  { packets, lost, jitterMs, longestSilenceMs, roundTripMs }: SideQuality,
  delayMs: number,
): StreamQuality {
  const mos = packets === 0 ? undefined : meanOpinion({ delayMs, jitterMs, lossShare: lost / (packets + lost) });
  return {
    packets,
    lost,
    jitterMs: rounded(jitterMs, 2),
    longestSilenceMs: Math.round(longestSilenceMs),
    ...(roundTripMs === undefined ? {} : { roundTripMs: rounded(roundTripMs, 2) }),
    ...(mos === undefined ? {} : { mos: rounded(mos, 2) }),
  };
}

const rounded = (value: number, places: number): number => Number(value.toFixed(places));
