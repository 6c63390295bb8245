import { type Slip, testSlips } from './slip.js';

const SLIPS: readonly Slip[] = [
  {
    slip: 'an unknown wing',
    file: 'handsets',
    change: (h) => {
      h[1].wing = 'c';
    },
    at: '/1/wing',
    found: /^"c"$/,
    expected: /a wing of wings.json: a, b/,
  },
  {
    slip: 'an unknown profile',
    file: 'handsets',
    change: (h) => {
      h[1].profile = 'survy';
    },
    at: '/1/profile',
    expected: /a profile of/,
    hint: /did you mean "survey"/,
  },
  {
    slip: 'an unknown trunk',
    file: 'profiles',
    change: (p) => {
      p[1].trunks = ['carrier', 'other'];
    },
    at: '/1/trunks/1',
    expected: /a trunk of trunks.json: carrier/,
  },
  {
    slip: 'an unknown list',
    file: 'profiles',
    change: (p) => {
      p[0].lists.block = ['dnc'];
    },
    at: '/0/lists/block/0',
    expected: /a list of lists.json/,
  },
  {
    slip: 'two handsets with one AOR',
    file: 'handsets',
    change: (h) => {
      h[3].user = 'a101';
    },
    at: '/3/user',
    expected: /no other handset has; handset "a-101"/,
  },
  {
    slip: 'two handsets with one id',
    file: 'handsets',
    change: (h) => {
      h[3].id = 'a-101';
    },
    at: '/3/id',
    expected: /no other entry has; entry 1/,
  },
  {
    slip: 'two wings with one id',
    file: 'wings',
    change: (w) => {
      w.push({ ...w[0] });
    },
    at: '/2/id',
    expected: /no other entry/,
  },
  {
    slip: 'two profiles with one id',
    file: 'profiles',
    change: (p) => {
      p.push({ ...p[0] });
    },
    at: '/4/id',
    expected: /no other entry/,
  },
  {
    slip: 'two trunks with one id',
    file: 'trunks',
    change: (x) => {
      x.push({ ...x[0] });
    },
    at: '/1/id',
    expected: /no other entry/,
  },
  {
    slip: 'two boards with one id',
    file: 'boards',
    change: (b) => {
      b.push({ ...b[0], unit: 2 });
    },
    at: '/1/id',
    expected: /no other entry/,
  },
  {
    slip: 'codes alone, and no code',
    file: 'profiles',
    change: (p) => {
      p[2].tokens = {};
    },
    at: '/2/tokenOnly',
    expected: /at least one code/,
  },
  {
    slip: 'a warning longer before the end than the call lasts',
    file: 'profiles',
    change: (p) => {
      p[1].warningsS = [6, 2];
    },
    at: '/1/warningsS/0',
    expected: /less than the 6 s/,
  },
  {
    slip: 'warnings in the wrong order',
    file: 'profiles',
    change: (p) => {
      p[1].warningsS = [2, 4];
    },
    at: '/1/warningsS/1',
    expected: /less than 2/,
  },
  {
    slip: 'a trunk that registers without an account',
    file: 'trunks',
    change: (x) => {
      x[0].register = true;
    },
    at: '/0/password',
    expected: /registers/,
  },
  {
    slip: 'a trunk whose own address is outside its networks',
    file: 'trunks',
    change: (x) => {
      x[0].networks = ['10.0.0.0/8'];
    },
    at: '/0/networks',
    expected: /127\.0\.0\.1/,
  },
  {
    slip: 'two command keys of one name',
    file: 'uplink',
    change: (u) => {
      u.commandKeys.push(u.commandKeys[0]);
    },
    at: '/commandKeys/1/kid',
    expected: /no other key/,
  },
  {
    slip: 'a client certificate without its key',
    file: 'uplink',
    change: (u) => {
      u.cert = 'site.json';
      u.url = 'mqtts://hq.example';
    },
    at: '/key',
    expected: /goes with "cert"/,
  },
  {
    slip: 'a certificate authority that is not there',
    file: 'uplink',
    change: (u) => {
      u.ca = 'ca.pem';
      u.url = 'mqtts://hq.example';
    },
    at: '/ca',
    expected: /a file that is there/,
    hint: /\/site\/ca\.pem/,
  },
  {
    slip: 'hours of a date that end before they begin',
    file: 'wings',
    change: (w) => {
      w[1].exceptions = {
        '12-24': [
          { from: '08:00', to: '18:30' },
          { from: '20:00', to: '02:00' },
        ],
      };
    },
    at: '/1/exceptions/12-24/1/to',
    expected: /later than 20:00/,
  },
  {
    slip: 'a region that the country does not have',
    file: 'site',
    change: (s) => {
      s.country = 'DE';
      s.holidayRegion = 'BZ';
    },
    at: '/holidayRegion',
    expected: /for DE, one of its regions: BB, BE/,
  },
];

testSlips(SLIPS);
