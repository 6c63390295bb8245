import type { BusAccess } from '../bus-link.js';
import { list, object, readBus, text, whole } from '../checked-json.js';
import { readTransport, type Transport } from '../transport.js';
import { LINES } from './message.js';

/** A card as it is wired. */
export interface CardConfig {
  readonly id: string;
  /** What it calls itself in its `ID`; a card that says otherwise is refused. */
  readonly model: string;
  readonly lines: readonly { readonly handset: string; readonly line: number }[];
}

/** The configuration of one line-card process: one serial port, one card. */
export interface LineCardConfig {
  readonly agent: string;
  readonly bus: BusAccess;
  readonly transport: Transport;
  readonly card: CardConfig;
}

/** Reads the configuration. Throws with the place of the first fault. */
export function readConfig(value: unknown): LineCardConfig {
  const config = object(value, '/');
  const card = object(config.card, '/card');
  const taken = new Set<number>();
  const lines = list(card.lines, '/card/lines').map((entry, index) => {
    const at = `/card/lines/${index}`;
    const wired = object(entry, at);
    const line = whole(wired.line, `${at}/line`, 0, LINES - 1);
    if (taken.has(line)) throw new Error(`${at}/line: line ${line} has a handset already`);
    taken.add(line);
    return { handset: text(wired.handset, `${at}/handset`), line };
  });
  return {
    agent: text(config.agent, '/agent'),
    bus: readBus(object(config.bus, '/bus')),
    transport: readTransport(object(config.transport, '/transport')),
    card: { id: text(card.id, '/card/id'), model: text(card.model, '/card/model'), lines },
  };
}
