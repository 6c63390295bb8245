import { type Slip, testSlips } from './slip.js';

const SLIPS: readonly Slip[] = [
  {
    slip: 'speech on the port of the SIP server',
    file: 'site',
    change: (s) => {
      s.sip.cell.port = 5060;
      s.media.ports = { from: 5000, to: 6000 };
    },
    at: '/media/ports',
    expected: /SIP server for the cells .* 5060/,
  },
  {
    slip: 'a port range that ends before it begins',
    file: 'site',
    change: (s) => {
      s.media.ports = { from: 30_000, to: 20_000 };
    },
    at: '/media/ports/to',
    expected: /30003 or more/,
  },
  {
    slip: 'a port range beyond what there is',
    file: 'site',
    change: (s) => {
      s.media.ports = { from: 60_000, to: 70_000 };
    },
    at: '/media/ports/to',
    expected: /from 1024 to 65535/,
  },
  {
    slip: 'bus and console on one port',
    file: 'site',
    change: (s) => {
      s.bus.port = 8080;
      s.console.port = 8080;
    },
    at: '/console/port',
    expected: /the bus .* 8080/,
  },
  {
    slip: 'SIP on every address and the bus on one of them',
    file: 'site',
    change: (s) => {
      s.sip.cell = { address: '0.0.0.0', port: 1884 };
      s.bus.port = 1884;
    },
    at: '/bus/port',
    expected: /SIP server/,
  },
  {
    slip: 'an address of speech that nobody can send to',
    file: 'site',
    change: (s) => {
      s.media.cellAddress = '0.0.0.0';
    },
    at: '/media/cellAddress',
    expected: /send speech to/,
  },
  {
    slip: 'engine drachtio without a server',
    file: 'site',
    change: (s) => {
      s.sip.engine = 'drachtio';
    },
    at: '/sip/drachtio',
    expected: /drachtio server/,
  },
  {
    slip: 'a folder of sockets with too long a path',
    file: 'site',
    change: (s) => {
      s.runFolder = `/run/${'x'.repeat(90)}`;
    },
    at: '/runFolder',
    expected: /at most 80 bytes/,
  },
];

testSlips(SLIPS);
