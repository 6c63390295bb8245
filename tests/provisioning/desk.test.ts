/** Who gets a configuration, and who gets nothing: with no network, on a clock that is put forward. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { type Asked, type DeskAlarm, ProvisioningDesk } from '../../gateway/provisioning/desk.js';
import { DeviceNotebook } from '../../gateway/provisioning/device-notes.js';
import { EnrolmentBook } from '../../gateway/provisioning/enrolment-book.js';
import { readTemplates } from '../../gateway/provisioning/templates.js';
import { StandingClock } from '../signalling/standing-clock.js';
import { SITE, sample } from './sample.js';

const HOUR_MS = 3_600_000;
const HERE = '10.20.0.7';
const templates = readTemplates();

function openDesk(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'balise-desk-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new StandingClock();
  const book = new EnrolmentBook(folder);
  const notes = new DeviceNotebook(folder);
  const alarms: DeskAlarm[] = [];
  const told: (readonly [string, unknown])[] = [];
  const make = () =>
    new ProvisioningDesk({
      ...{ clock, templates, book, notes },
      site: () => SITE,
      alarm: (alarm) => alarms.push(alarm),
      tell: (what, data) => told.push([what, data]),
    });
  const one = sample('T54W', [1]);
  const two = sample('HT814', [1, 2], 'c074ad000202', 'b');
  const armedUntilMs = clock.wall().epochMilliseconds + 24 * HOUR_MS;
  for (const { enrolment } of [one, two]) book.write({ ...enrolment, armedUntilMs });
  const devices = new Map([one, two].map(({ device }) => [device.mac, device]));
  const desk = make();
  desk.load(devices);
  const again = () => {
    const fresh = make();
    fresh.load(devices);
    return fresh;
  };
  const asked: Asked = { token: one.enrolment.token, file: 'c074ad000201.cfg', address: HERE };
  return { clock, book, desk, again, devices, alarms, told, asked, one, two, armedUntilMs };
}

t.test('a token opens the file of its own device, as often as it asks until it has registered', async (t) => {
  const { desk, asked, told } = openDesk(t);
  t.match(desk.ask(asked)?.body, 'account.1.user_name = a101');
  t.ok(desk.ask(asked), 'makers ask twice');
  t.match(told, [['fetched', { mac: 'c074ad000201', handsets: ['a-101'], address: HERE }]]);
});

t.test('another device’s file, another name, a wrong token and no token get nothing', async (t) => {
  const { desk, asked, two, told } = openDesk(t);
  for (const wrong of [
    { ...asked, file: 'cfgc074ad000202.xml' },
    { ...asked, file: 'cfg.xml' },
    { ...asked, file: 'C074AD000201.cfg' },
    { ...asked, file: '../c074ad000201.cfg' },
    { ...asked, token: two.enrolment.token },
    { ...asked, token: asked.token.slice(0, -1) },
    { ...asked, token: asked.token.toUpperCase() },
    { ...asked, token: '' },
  ]) {
    t.equal(desk.ask(wrong), undefined, JSON.stringify(wrong));
  }
  t.same(told, []);
});

t.test('whatever is asked for at random, nothing is served', async (t) => {
  const { desk } = openDesk(t);
  fc.assert(
    fc.property(
      fc.string(),
      fc.constantFrom('c074ad000201.cfg', 'cfgc074ad000202.xml'),
      fc.ipV4(),
      (token, file, address) => {
        return desk.ask({ token, file, address }) === undefined;
      },
    ),
  );
});

t.test(
  'the first to fetch binds the token to its address: whoever else has it gets nothing, and is an alarm',
  async (t) => {
    const { desk, again, asked, alarms } = openDesk(t);
    t.ok(desk.ask(asked));
    t.equal(desk.ask({ ...asked, address: '10.20.0.66' }), undefined);
    t.match(alarms, [
      { code: 'provisioning.foreign-address', detail: /10.20.0.66 asked for what 10.20.0.7 has fetched/ },
    ]);
    t.equal(again().ask({ ...asked, address: '10.20.0.66' }), undefined, 'nor after a restart');
    t.ok(again().ask(asked));
  },
);

t.test('a token is spent when the device has fetched and every handset of it has registered', async (t) => {
  const { desk, again, two, told, alarms } = openDesk(t);
  const asked = { token: two.enrolment.token, file: 'cfgc074ad000202.xml', address: HERE };
  const userAgent = 'Grandstream HT814 1.0.33.4 c074ad000202';
  t.ok(desk.ask(asked));
  desk.registered({ handset: 'b-101', address: HERE, userAgent });
  t.ok(desk.ask(asked), 'its second port is not there yet');
  desk.registered({ handset: 'b-102', address: HERE, userAgent });
  t.equal(desk.ask(asked), undefined);
  t.equal(again().ask(asked), undefined, 'nor after a restart');
  t.same(
    told.map(([what]) => what),
    ['fetched', 'enrolled'],
  );
  for (let times = 0; times < 30; times += 1) desk.ask(asked);
  t.same(alarms, [], 'a phone that asks at each start with its old token guesses nothing');
});

t.test('a token that nobody used dies with its time', async (t) => {
  const { desk, asked, clock } = openDesk(t);
  clock.forward(24 * HOUR_MS - 1);
  t.ok(desk.ask(asked));
  clock.forward(1);
  t.equal(desk.ask(asked), undefined);
});

t.test('arming again opens it anew, whatever was noted before', async (t) => {
  const { desk, asked, book, devices, one, armedUntilMs } = openDesk(t);
  t.ok(desk.ask(asked));
  desk.registered({ handset: 'a-101', address: HERE, userAgent: 'Yealink SIP-T54W 96.86 c074ad000201' });
  t.equal(desk.ask(asked), undefined);
  book.write({ ...one.enrolment, armedUntilMs, generation: 'g2' });
  desk.load(devices);
  t.ok(desk.ask({ ...asked, address: '10.20.0.8' }), 'from another address too');
});

t.test('ten wrong requests in ten minutes, and an address gets nothing for fifteen; others still do', async (t) => {
  const { desk, asked, alarms, clock } = openDesk(t);
  const guess = () => desk.ask({ token: 'guess', file: 'c074ad000201.cfg', address: '10.20.0.66' });
  for (let times = 0; times < 9; times += 1) guess();
  t.same(alarms, []);
  guess();
  t.match(alarms, [{ code: 'provisioning.guessing', detail: /10.20.0.66 asked ten times/ }]);
  for (let times = 0; times < 50; times += 1) guess();
  t.equal(alarms.length, 1, 'a flood is one alarm');
  t.equal(desk.ask({ ...asked, address: '10.20.0.66' }), undefined, 'now even the right token');
  t.ok(desk.ask(asked), 'from its own address it opens');
  clock.forward(15 * 60_000 + 1);
  t.match(alarms, { length: 1 });
});

t.test('a registration that does not fit is an alarm once, and again when it changes', async (t) => {
  const { desk, alarms } = openDesk(t);
  const odd = { handset: 'a-101', address: HERE, userAgent: 'MicroSIP/3.21.3' };
  desk.registered(odd);
  desk.registered(odd);
  t.match(alarms, [
    { code: 'provisioning.mismatch', handset: 'a-101', detail: /T54W c074ad000201: a-101: it says that it is/ },
  ]);
  t.equal(alarms.length, 1);
  desk.registered({ ...odd, userAgent: 'Yealink SIP-T54W 96.86 c074ad000201' });
  t.equal(alarms.length, 1);
  desk.registered({ ...odd, userAgent: 'Yealink SIP-T54W 96.86 805ec0000001' });
  t.equal(alarms.length, 2);
});

t.test('a secret that is not that of handsets.json is served to nobody', async (t) => {
  const { desk, book, devices, asked, one, alarms, armedUntilMs } = openDesk(t);
  book.write({ ...one.enrolment, armedUntilMs, secrets: { 'a-101': 'another' } });
  desk.load(devices);
  t.equal(desk.ask(asked), undefined);
  t.match(alarms, [{ code: 'provisioning.stale', detail: /a-101 is not that of handsets.json: renew it/ }]);
});

t.test('an enrolment that cannot be opened is an alarm, and its device is served nothing', async (t) => {
  const { desk, devices, asked, book, one, alarms } = openDesk(t);
  const broken = new ProvisioningDesk({
    ...{ clock: new StandingClock(), templates, site: () => SITE, tell: () => undefined },
    book: Object.assign(Object.create(book) as EnrolmentBook, {
      read: () => {
        throw new Error('changed since');
      },
    }),
    notes: { read: () => undefined } as unknown as DeviceNotebook,
    alarm: (alarm) => alarms.push(alarm),
  });
  broken.load(devices);
  t.equal(broken.ask(asked), undefined);
  t.match(alarms, [{ code: 'provisioning.unreadable' }, { code: 'provisioning.unreadable' }]);
  t.ok(desk.ask(asked), one.device.mac);
});
