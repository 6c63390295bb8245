/**
 * The line-card agent: one card of keypad handsets on one serial port. Configuration as one line of JSON on stdin, or
 * `--config <file.json>`; `--check` looks and changes nothing; see README.md.
 */
import { runAgent } from '../agent.js';
import { CardLoop } from './card-loop.js';
import { checkCard } from './check.js';
import { readConfig } from './config.js';

await runAgent((value) => {
  const config = readConfig(value);
  return {
    bus: config.bus,
    handsets: config.card.lines.map(({ handset }) => handset),
    hasKeypads: true,
    driver: (host) => new CardLoop(config, host),
    check: (clock) => checkCard(config, clock),
  };
});
