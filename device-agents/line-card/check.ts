/** What `--check` of the line-card agent prints: it asks the card who it is, and hears its state; it leases and opens nothing. */
import type { CheckReport } from '../agent.js';
import type { AgentClock } from '../clock.js';
import { checkPort } from '../port-check.js';
import type { Wire } from '../wire.js';
import type { LineCardConfig } from './config.js';
import { ackLine, LineCutter, type Order, orderLine, readWord, type Word } from './message.js';

/** How long the card may take for its answers, milliseconds, and how often it is asked. */
const LISTEN_MS = 1_500;
const TRIES = 3;

/** Looks at the card of the configuration. Never rejects: what cannot be reached is in the report. */
export function checkCard(config: LineCardConfig, clock: AgentClock): Promise<CheckReport> {
  return checkPort(config.transport, (wire) => look(config, wire, clock));
}

async function look({ card }: LineCardConfig, wire: Wire, clock: AgentClock): Promise<CheckReport> {
  const words: Word[] = [];
  let noise = 0;
  const cutter = new LineCutter();
  wire.onData = (bytes) => {
    for (const line of cutter.take(bytes)) {
      const reading = readWord(line);
      if (reading.is === 'noise') noise += 1;
      if (reading.is !== 'word') continue;
      words.push(reading.word);
      const { verb } = reading.word;
      if (verb !== 'ACK' && verb !== 'NAK' && verb !== 'BEAT') wire.write(ackLine(reading.word.seq));
    }
  };
  const ask = async (order: Order, seq: number, isAnswered: () => boolean) => {
    for (let tried = 0; tried < TRIES && !isAnswered(); tried++) {
      wire.write(orderLine(order, seq));
      const endNs = clock.nowNs() + BigInt(LISTEN_MS) * 1_000_000n;
      while (!isAnswered() && clock.nowNs() < endNs)
        await new Promise<void>((resolve) => void clock.after(20, resolve));
    }
  };
  const id = () => words.find((word): word is Extract<Word, { verb: 'ID' }> => word.verb === 'ID');
  await ask({ verb: 'ID?' }, 0, () => id() !== undefined);
  const found = id();
  const head = `card ${card.id}`;
  if (found === undefined) {
    const heard = noise > 0 ? `; ${noise} lines came that make no sense: see the speed and the parity` : '';
    return { isWell: false, lines: [`${head}: FAULT: no answer to ID?${heard}`] };
  }
  const isRight = found.model === card.model;
  const lines = [
    `${head}: ${isRight ? '' : 'FAULT: '}a ${found.model} with ${found.lines} lines, leases up to ${found.longestMs} ms${isRight ? '' : `; expected a ${card.model}`}`,
  ];
  const isTold = () =>
    card.lines.every(
      ({ line }) =>
        words.some((word) => word.verb === 'RELAY' && word.line === line) &&
        words.some((word) => word.verb === 'HOOK' && word.line === line),
    );
  await ask({ verb: 'STATE?' }, 1, isTold);
  let isWell = isRight;
  for (const { handset, line } of card.lines) {
    const last = <V extends 'HOOK' | 'RELAY' | 'TAMPER'>(verb: V) =>
      words.findLast((word): word is Extract<Word, { verb: V }> => word.verb === verb && word.line === line);
    const [hook, relay, tamper] = [last('HOOK'), last('RELAY'), last('TAMPER')];
    const isKnown = hook !== undefined && relay !== undefined;
    isWell &&= isKnown;
    const what = isKnown
      ? `hook ${hook.off ? 'off' : 'on'}, relay ${relay.closed ? 'connected' : 'open'}, case ${tamper?.open === true ? 'open' : 'closed'}`
      : 'FAULT: the card says nothing of it';
    lines.push(`  ${handset.padEnd(12)} line ${String(line).padStart(2, '0')}: ${what}`);
  }
  if (noise > 0) lines.push(`  ${noise} lines came with a wrong CRC`);
  return { isWell, lines };
}
