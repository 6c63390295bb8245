/** Each rule that this version can refuse by, on the whole program: what the handset is told, and what is on record. */
import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { faketimeLibrary, needs } from '../peers/needs.js';
import { carrierPeer, handsetPeer } from '../peers/scenario.js';
import { EVERY_DAY, handset, makeSite, passwordOf, profile, REALM, type SiteParts } from '../peers/site.js';

const opts = needs('sip-tester');
const ALLOWED = '+442079460001';

interface Refused {
  readonly rule: string;
  readonly status: number;
  readonly dialled?: string;
  readonly user?: string;
  /** What the gateway's environment has beside that of the tests. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Places one call that must be refused, and checks the status on the wire and the rule on record. */
async function refuses(
  t: Test,
  parts: SiteParts,
  { rule, status, dialled = ALLOWED, user = 'a101', env }: Refused,
): Promise<void> {
  const running = await GatewayProcess.start(t, makeSite(t, await freePort(), parts), env);
  const near = await handsetPeer(t, {
    scenario: 'handset-refused',
    user,
    dialled,
    port: running.port('cell'),
    rtpPort: 9,
    status,
  });
  const { code, output } = await near.exited;
  t.equal(code, 0, `the handset hears ${status} ${code === 0 ? '' : output}`);
  const said = near.messages.findLast((message) => message.kind === String(status));
  t.match(said?.text, rule, 'the answer names the rule');
  t.match(await running.logged((line) => line.event === 'call.ended'), { cause: 'refused', rule });
}

const now = new Date();
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** A weekday that is neither today nor a neighbour of today, in any zone. */
const AWAY = [{ days: [WEEKDAYS[(now.getUTCDay() + 3) % 7]], from: '10:00', to: '11:00' }];

t.test('a number on a block list is refused though an allow list has it', opts, (t) =>
  refuses(t, { profiles: [profile({ block: [ALLOWED] })] }, { rule: 'number.blocked', status: 403 }),
);

t.test('a number on no allow list is refused', opts, (t) =>
  refuses(t, {}, { rule: 'number.not-sanctioned', status: 403, dialled: '+442079461234' }),
);

t.test('an emergency number is refused by its class, whatever the lists say', opts, (t) =>
  refuses(t, {}, { rule: 'number.class', status: 403, dialled: '112' }),
);

t.test('a satellite number is refused by its class', opts, (t) =>
  refuses(
    t,
    { profiles: [profile({ allow: ['+88*'] })] },
    { rule: 'number.class', status: 403, dialled: '+881612345678' },
  ),
);

t.test('what is no number in any form is refused as malformed', opts, (t) =>
  refuses(t, {}, { rule: 'dial.malformed', status: 484, dialled: '+44207946000199999' }),
);

t.test('a handset that dials codes cannot dial a number', opts, (t) =>
  refuses(
    t,
    { profiles: [profile({ tokens: { '01': ALLOWED }, tokenOnly: true })] },
    { rule: 'dial.free-dialling', status: 403 },
  ),
);

t.test('a disabled handset is refused', opts, (t) =>
  refuses(t, { handsets: [handset('a-101', { enabled: false })] }, { rule: 'handset.disabled', status: 403 }),
);

t.test('a call outside the hours of the site is refused', opts, (t) =>
  refuses(t, { site: { windows: AWAY } }, { rule: 'window.site', status: 480 }),
);

t.test('a call outside the hours of the wing is refused', opts, (t) =>
  refuses(t, { wings: [{ id: 'a', network: ['127.0.0.0/8'], windows: AWAY }] }, { rule: 'window.wing', status: 480 }),
);

t.test('a call outside the hours of the handset is refused', opts, (t) =>
  refuses(t, { handsets: [handset('a-101', { windows: AWAY })] }, { rule: 'window.handset', status: 480 }),
);

t.test('a call outside the hours of the callee is refused, in the callee’s own time', opts, (t) =>
  refuses(
    t,
    { callingHours: { country: 'GB', status: 'for tests', source: 'none', windows: AWAY, closedOnHolidays: false } },
    { rule: 'window.callee', status: 480 },
  ),
);

t.test('a handset whose line controller does not answer is refused', opts, async (t) => {
  const board = { id: 'b1', device: 'generic-8r8i', unit: 1, agent: 'modbus-1' };
  const transport = { kind: 'rtu-over-tcp', host: '127.0.0.1', port: await freePort() };
  const wired = handset('a-101', { line: { board: 'b1', relay: 0, hook: 0 } });
  const parts = { profiles: [profile({ hookRequired: true })], boards: [{ ...board, transport }], handsets: [wired] };
  await refuses(t, parts, { rule: 'line.unsupervised', status: 503 });
});

t.test(
  'a call on a holiday of the callee’s country is refused, where its law closes them',
  needs('sip-tester', 'faketime'),
  (t) =>
    refuses(
      t,
      {
        callingHours: {
          country: 'GB',
          status: 'for tests',
          source: 'none',
          windows: [EVERY_DAY],
          closedOnHolidays: true,
        },
      },
      {
        rule: 'holiday.callee',
        status: 480,
        // The wall clock alone: a gateway that lives on Christmas Day.
        env: {
          LD_PRELOAD: faketimeLibrary,
          FAKETIME: '@2026-12-25 12:00:00',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
          TZ: 'UTC',
        },
      },
    ),
);

t.test('while nothing vouches for the clock, every call is refused', opts, (t) =>
  // With no chrony and no timedatectl to be found, nothing says that the clock is synchronised.
  refuses(t, { site: { clock: { trust: 'system' } } }, { rule: 'clock.untrusted', status: 503, env: { PATH: '' } }),
);

t.test('a second call beside one that is up is refused', opts, async (t) => {
  const trunkPort = await freePort();
  const running = await GatewayProcess.start(t, makeSite(t, trunkPort));
  const peer = { user: 'a101', dialled: ALLOWED, port: running.port('cell'), rtpPort: 9 };
  await carrierPeer(t, 'carrier-answers', trunkPort, 9);
  const first = await handsetPeer(t, { ...peer, scenario: 'handset-waits' });
  await first.saw(({ direction, kind, text }) => direction === 'received' && kind === '200' && text.includes('INVITE'));
  const second = await handsetPeer(t, { ...peer, scenario: 'handset-refused', status: 486 });
  t.equal((await second.exited).code, 0);
  t.match(await running.logged((line) => line.event === 'call.ended'), { cause: 'refused', rule: 'limit.concurrent' });
});

for (const [limit, rule] of [
  [{ callsPerDay: 1 }, 'limit.calls'],
  [{ attemptsPerDay: 1 }, 'limit.attempts'],
  [{ gapS: 3600 }, 'limit.gap'],
] as const) {
  t.test(
    `after one answered call the next is refused by ${rule}, with the instant at which it would pass`,
    opts,
    async (t) => {
      const trunkPort = await freePort();
      const running = await GatewayProcess.start(t, makeSite(t, trunkPort, { profiles: [profile(limit)] }));
      const peer = { user: 'a101', dialled: ALLOWED, port: running.port('cell'), rtpPort: 9 };
      const far = await carrierPeer(t, 'carrier-answers', trunkPort, 9);
      const first = await handsetPeer(t, { ...peer, scenario: 'handset-hangs-up', talkMs: 100 });
      t.equal((await first.exited).code, 0);
      await far.exited;
      await running.logged((line) => line.event === 'call.ended');
      const second = await handsetPeer(t, { ...peer, scenario: 'handset-refused', status: 480 });
      t.equal((await second.exited).code, 0);
      t.match(await running.logged((line) => line.event === 'call.ended' && line.cause === 'refused'), { rule });
    },
  );
}

t.test('when the talk of the day is used, the call is cut, and the next one refused', opts, async (t) => {
  const trunkPort = await freePort();
  const running = await GatewayProcess.start(t, makeSite(t, trunkPort, { profiles: [profile({ talkPerDayS: 1 })] }));
  const peer = { user: 'a101', dialled: ALLOWED, port: running.port('cell'), rtpPort: 9 };
  await carrierPeer(t, 'carrier-answers', trunkPort, 9);
  const first = await handsetPeer(t, { ...peer, scenario: 'handset-waits' });
  t.equal((await first.exited).code, 0);
  t.match(await running.logged((line) => line.event === 'call.ended'), { cause: 'deadline' });
  const second = await handsetPeer(t, { ...peer, scenario: 'handset-refused', status: 480 });
  t.equal((await second.exited).code, 0);
  const rule = 'limit.talk';
  t.ok(await running.logged((line) => line.event === 'call.ended' && line.rule === rule));
});

t.test('a handset that gives a wrong password is not let in, and is never judged', opts, async (t) => {
  const wrong = createHash('md5')
    .update(`a101:${REALM}:${passwordOf('somebody-else')}`)
    .digest('hex');
  const site = makeSite(t, await freePort(), { handsets: [handset('a-101', { ha1: { MD5: wrong } })] });
  const running = await GatewayProcess.start(t, site);
  const near = await handsetPeer(t, {
    scenario: 'handset-refused',
    user: 'a101',
    dialled: ALLOWED,
    port: running.port('cell'),
    rtpPort: 9,
    status: 401,
  });
  t.equal((await near.exited).code, 0);
  t.notOk(running.lines.some((line) => line.event === 'call.ended'));
});
