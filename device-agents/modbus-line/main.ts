/**
 * The modbus-line agent: relay boards on one serial line, or behind one serial device server. Configuration as one line of
 * JSON on stdin, or `--config <file.json>`; see README.md.
 */
import { runAgent } from '../agent.js';
import { checkLine } from './check.js';
import { readConfig } from './config.js';
import { LineLoop } from './line-loop.js';

await runAgent((value) => {
  const config = readConfig(value);
  return {
    bus: config.bus,
    handsets: config.boards.flatMap((board) => board.lines.map((line) => line.handset)),
    driver: (host) => new LineLoop(config, host),
    check: (clock) => checkLine(config, clock),
  };
});
