import { type Slip, testSlips } from './slip.js';

const SLIPS: readonly Slip[] = [
  {
    slip: 'a transport of an unknown kind',
    file: 'boards',
    change: (b) => {
      b[0].transport.kind = 'tcp';
    },
    at: '/0/transport/kind',
    expected: /"kind" that is known/,
    hint: /serial or rtu-over-tcp/,
  },
  {
    slip: 'an unknown time zone',
    file: 'site',
    change: (s) => {
      s.zone = 'Europe/Bruxelles';
    },
    at: '/zone',
    found: /Bruxelles/,
    expected: /IANA time zone/,
  },
  {
    slip: 'an offset in place of a time zone',
    file: 'site',
    change: (s) => {
      s.zone = '+01:00';
    },
    at: '/zone',
    expected: /IANA time zone/,
  },
  {
    slip: 'an unknown country',
    file: 'site',
    change: (s) => {
      s.country = 'XX';
    },
    at: '/country',
    expected: /country/,
  },
  {
    slip: 'a language without prompts',
    file: 'site',
    change: (s) => {
      s.language = 'es';
    },
    at: '/language',
    expected: /one of fr, nl, sq, ru, tr, de, en/,
  },
  {
    slip: 'HA1 that is not hex',
    file: 'handsets',
    change: (h) => {
      h[0].ha1.MD5 = 'g'.repeat(32);
    },
    at: '/0/ha1/MD5',
    found: /^32 characters \(not shown\)$/,
    expected: /32 hex digits/,
  },
  {
    slip: 'HA1 that is too short',
    file: 'handsets',
    change: (h) => {
      h[0].ha1['SHA-256'] = 'ab';
    },
    at: '/0/ha1/SHA-256',
    expected: /64 hex digits/,
  },
  {
    slip: 'no HA1 at all',
    file: 'handsets',
    change: (h) => {
      h[0].ha1 = {};
    },
    at: '/0/ha1',
    expected: /at least one of MD5, SHA-256/,
  },
  {
    slip: 'a password in place of HA1',
    file: 'handsets',
    change: (h) => {
      h[0].password = 'x';
    },
    at: '/0/password',
    expected: /settings that are known here/,
  },
  {
    slip: 'an allow pattern with 00',
    file: 'profiles',
    change: (p) => {
      p[0].allow = ['00442079460000'];
    },
    at: '/0/allow/0',
    expected: /E\.164/,
    hint: /with \+ and the country code/,
  },
  {
    slip: 'an allow pattern with spaces',
    file: 'profiles',
    change: (p) => {
      p[0].allow = ['+44 20 7946 0000'];
    },
    at: '/0/allow/0',
    expected: /E\.164/,
    hint: /leave out spaces/,
  },
  {
    slip: 'an allow pattern that would allow the world',
    file: 'profiles',
    change: (p) => {
      p[0].allow = ['+*'];
    },
    at: '/0/allow/0',
    expected: /E\.164/,
  },
  {
    slip: 'a malformed number in a list',
    file: 'lists',
    change: (l) => {
      l.panel[1] = '+44*0';
    },
    at: '/panel/1',
    expected: /E\.164/,
  },
  {
    slip: 'a wing network that is an address',
    file: 'wings',
    change: (w) => {
      w[0].network = ['10.0.0.1'];
    },
    at: '/0/network/0',
    expected: /CIDR/,
    hint: /10.0.0.1\/32/,
  },
  {
    slip: 'a wing network with bits behind the prefix',
    file: 'wings',
    change: (w) => {
      w[0].network = ['10.1.2.3/24'];
    },
    at: '/0/network/0',
    expected: /CIDR/,
    hint: /bits are set/,
  },
  {
    slip: 'a misspelt setting',
    file: 'site',
    change: (s) => {
      s.langage = 'fr';
    },
    at: '/langage',
    expected: /known here/,
    hint: /did you mean "language"/,
  },
  {
    slip: 'a setting that is missing',
    file: 'profiles',
    change: (p) => {
      delete p[1].maxTalkS;
    },
    at: '/1/maxTalkS',
    found: /^nothing$/,
    expected: /must be there/,
    hint: /seconds/,
  },
  {
    slip: 'a closing time beyond the day',
    file: 'wings',
    change: (w) => {
      w[1].windows[0].to = '24:01';
    },
    at: '/1/windows/0/to',
    expected: /24:00 is the end/,
  },
  {
    slip: 'windows that never open',
    file: 'wings',
    change: (w) => {
      w[1].windows = [];
    },
    at: '/1/windows',
    expected: /at least 1 entry/,
    hint: /Leave it out for always/,
  },
  {
    slip: 'a weekday named twice',
    file: 'wings',
    change: (w) => {
      w[1].windows[0].days = ['mon', 'tue', 'mon'];
    },
    at: '/1/windows/0/days/2',
    found: /"mon"/,
    expected: /once/,
  },
  {
    slip: 'a code with letters',
    file: 'profiles',
    change: (p) => {
      p[2].tokens = { '1x': '+442079460000' };
    },
    at: '/2/tokens/1x',
    expected: /1 to 8 digits/,
  },
  {
    slip: 'a private key among the public ones',
    file: 'uplink',
    change: (u) => {
      u.commandKeys[0].d = 'A'.repeat(43);
    },
    at: '/commandKeys/0/d',
    found: /^"d"$/,
    expected: /known here/,
  },
  {
    slip: 'a token key of the wrong length',
    file: 'uplink',
    change: (u) => {
      u.tokenKey = 'c2hvcnQ=';
    },
    at: '/tokenKey',
    found: /not shown/,
    expected: /32 bytes in base64/,
  },
  {
    slip: 'a broker that is no MQTT broker',
    file: 'uplink',
    change: (u) => {
      u.url = 'http://me:secret@hq.example';
    },
    at: '/url',
    found: /^"http:\/\/…@hq\.example"$/,
    expected: /mqtts:\/\//,
  },
];

testSlips(SLIPS);
