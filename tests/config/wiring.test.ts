import { type Slip, testSlips } from './slip.js';

const SLIPS: readonly Slip[] = [
  {
    slip: 'an unknown board',
    file: 'handsets',
    change: (h) => {
      h[1].line.board = 'b9';
    },
    at: '/1/line/board',
    expected: /a board of boards.json: b1/,
  },
  {
    slip: 'an unknown device',
    file: 'boards',
    change: (b) => {
      b[0].device = 'generic-8r8x';
    },
    at: '/0/device',
    expected: /a device of config\/devices/,
    hint: /generic-8r8i/,
  },
  {
    slip: 'a relay that another handset has',
    file: 'handsets',
    change: (h) => {
      h[2].line.relay = 0;
    },
    at: '/2/line/relay',
    expected: /relay of board "b1" that no other handset has; handset "a-101" has it/,
  },
  {
    slip: 'a hook input that another handset has',
    file: 'handsets',
    change: (h) => {
      h[2].line.hook = 1;
    },
    at: '/2/line/hook',
    expected: /hook input .* handset "a-102" has it/,
  },
  {
    slip: 'a relay beyond those of the board',
    file: 'handsets',
    change: (h) => {
      h[0].line.relay = 8;
    },
    at: '/0/line/relay',
    found: /^8$/,
    expected: /from 0 to 7/,
  },
  {
    slip: 'a hook input beyond those of the board',
    file: 'handsets',
    change: (h) => {
      h[0].line.hook = 99;
    },
    at: '/0/line/hook',
    expected: /from 0 to 7/,
  },
  {
    slip: 'two boards of an agent with one unit id',
    file: 'boards',
    change: (b) => {
      b.push({ ...b[0], id: 'b2' });
    },
    at: '/1/unit',
    expected: /unit id that no other board of agent "modbus-1" has/,
  },
  {
    slip: 'two transports of one agent',
    file: 'boards',
    change: (b) => {
      b.push({ ...b[0], id: 'b2', unit: 2, transport: { kind: 'serial', path: '/dev/ttyS0' } });
    },
    at: '/1/transport',
    expected: /the transport of board "b1"/,
  },
  {
    slip: 'two agents on one port',
    file: 'boards',
    change: (b) => {
      b.push({ ...b[0], id: 'b2', unit: 2, agent: 'modbus-2' });
    },
    at: '/1/agent',
    expected: /agent "modbus-1", which has the same port/,
  },
  {
    slip: 'a board without a watchdog that nobody has accepted',
    file: 'boards',
    change: (b) => {
      b[0].device = 'bare-4';
    },
    at: '/0/device',
    expected: /watchdog/,
    hint: /allowNoWatchdog/,
  },
  {
    slip: 'a handset without a line in a profile that asks for the hook',
    file: 'handsets',
    change: (h) => {
      delete h[0].line;
    },
    at: '/0/line',
    found: /^nothing$/,
    expected: /profile "survey" asks for the hook/,
  },
];

testSlips(SLIPS);
