import fc from 'fast-check';
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import type { ClockTrust } from '../../gateway/clock/clock.js';
import { afterReading, type Reading } from '../../gateway/clock/step-watch.js';
import {
  joinReports,
  programSource,
  type Report,
  readChrony,
  readTimedatectl,
  type SyncSource,
} from '../../gateway/clock/synchronisation.js';
import { afterReport, ClockWatch, judgeClock, STALE_AFTER_MS, type TrustKnowledge } from '../../gateway/clock/trust.js';

const SECOND = 1_000_000_000n;
const SYNCHRONISED: Report = { state: 'synchronised' };
const DENIED: Report = { state: 'not-synchronised', why: 'chrony has no source that it believes' };
const ABSENT: Report = { state: 'absent' };

/** Both clocks of a machine, in seconds, moved by hand. */
class Hands {
  wallS = 1_800_000_000;
  monotonicS = 100;
  read = (): Reading => ({ wallNs: BigInt(this.wallS) * SECOND, monotonicNs: BigInt(this.monotonicS) * SECOND });
  pass(seconds: number): void {
    this.wallS += seconds;
    this.monotonicS += seconds;
  }
}

const TRACKING = `Reference ID    : C0000201 (192.0.2.1)
Stratum         : 3
Ref time (UTC)  : Tue Nov 24 13:47:40 2026
System time     : 0.000006523 seconds slow of NTP time
Last offset     : -0.000006747 seconds
Root delay      : 0.013639022 seconds
Update interval : 64.5 seconds
Leap status     : Normal
`;

t.test("chrony's word is taken when it follows a source and is within 2 s of it", async (t) => {
  t.same(readChrony(TRACKING), SYNCHRONISED);
  t.same(readChrony(TRACKING.replace('Normal', 'Insert second')), SYNCHRONISED);
  t.match(readChrony(TRACKING.replace('Normal', 'Not synchronised')), { state: 'not-synchronised' });
  t.match(readChrony(TRACKING.replace('0.000006523', '3600.000000000')), { state: 'not-synchronised', why: /3600/ });
  t.same(readChrony('506 Cannot talk to daemon\n'), ABSENT);
});

t.test("systemd's word is the kernel's own flag", async (t) => {
  t.same(readTimedatectl('NTPSynchronized=yes\n'), SYNCHRONISED);
  t.match(readTimedatectl('NTPSynchronized=no\n'), { state: 'not-synchronised' });
  t.same(readTimedatectl('System has not been booted with systemd\n'), ABSENT);
});

t.test('one source that denies outweighs any that affirm; no source at all is no assent', async (t) => {
  t.same(joinReports([SYNCHRONISED, ABSENT]), SYNCHRONISED);
  t.same(joinReports([SYNCHRONISED, DENIED]), DENIED);
  t.same(joinReports([ABSENT, ABSENT]), ABSENT);
  t.same(joinReports([]), ABSENT);
});

t.test('a source is a program of the system; one that is missing or fails is absent', async (t) => {
  const shell = (script: string) => programSource('test', '/bin/sh', ['-c', script], readTimedatectl);
  t.same(await shell('echo NTPSynchronized=yes').ask(), SYNCHRONISED);
  t.same(await shell('echo NTPSynchronized=yes; exit 1').ask(), ABSENT);
  t.same(await programSource('test', '/nonexistent/chronyc', [], readChrony).ask(), ABSENT);
});

t.test('in mode system the clock is believed only on a fresh word that it is synchronised', async (t) => {
  const now = { wallNs: 10n * SECOND, monotonicNs: 10n * SECOND };
  const known = (said?: Report): TrustKnowledge => ({
    mode: 'system',
    steps: afterReading(undefined, now),
    ...(said === undefined ? {} : { report: { said, askedAtNs: now.monotonicNs } }),
  });
  t.match(judgeClock(known(), now), { trusted: false, why: /not known yet/ });
  t.match(judgeClock(known(ABSENT), now), { trusted: false, why: /neither chrony nor systemd/ });
  t.match(judgeClock(known(DENIED), now), { trusted: false, why: /no source that it believes/ });
  t.same(judgeClock(known(SYNCHRONISED), now), { trusted: true });
  const later = BigInt(STALE_AFTER_MS + 1) * 1_000_000n;
  const stale = { wallNs: now.wallNs + later, monotonicNs: now.monotonicNs + later };
  t.match(judgeClock(known(SYNCHRONISED), stale), { trusted: false, why: /nothing has been heard/ });
  t.same(judgeClock({ ...known(), mode: 'assume' }, stale), { trusted: true });
});

t.test('whatever else is known, a clock that stepped or is earlier than the disk is never believed', async (t) => {
  const instant = fc.bigInt({ min: 0n, max: 10n ** 19n });
  const report = fc.constantFrom(SYNCHRONISED, DENIED, ABSENT);
  const known = fc.record({ mode: fc.constantFrom('system' as const, 'assume' as const), report, floorNs: instant });
  fc.assert(
    fc.property(known, instant, fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), (what, wallNs, movedNs) => {
      const monotonicNs = 10n ** 12n;
      const steps = afterReading(undefined, { wallNs: wallNs - movedNs, monotonicNs });
      const knowledge = { ...what, steps, report: { said: what.report, askedAtNs: monotonicNs } };
      const { trusted } = judgeClock(knowledge, { wallNs, monotonicNs });
      const stepped = movedNs > 2n * SECOND || movedNs < -2n * SECOND;
      const early = wallNs < what.floorNs;
      const denied = what.mode === 'system' && what.report.state !== 'synchronised';
      return trusted === !(stepped || early || denied);
    }),
  );
  t.pass();
});

t.test('a source vouches for a step only when it was asked after the step was seen', async (t) => {
  const hands = new Hands();
  const before: TrustKnowledge = { mode: 'system', steps: afterReading(undefined, hands.read()) };
  const askedBefore = hands.read().monotonicNs;
  hands.pass(10);
  hands.wallS += 3600;
  const early = afterReport(before, SYNCHRONISED, askedBefore, hands.read());
  t.match(judgeClock(early, hands.read()), { trusted: false, why: /stepped forward by 3600.0 s/ });
  hands.pass(30);
  const denied = afterReport(early, DENIED, hands.read().monotonicNs, hands.read());
  t.match(judgeClock(denied, hands.read()), { trusted: false, why: /stepped forward/ });
  const vouched = afterReport(denied, SYNCHRONISED, hands.read().monotonicNs, hands.read());
  t.same(judgeClock(vouched, hands.read()), { trusted: true });
});

t.test('a watch in mode assume needs no source, and still sees steps and the disk', async (t) => {
  const hands = new Hands();
  const told: ClockTrust[] = [];
  let newest: Temporal.Instant | undefined;
  const watch = new ClockWatch({
    mode: 'assume',
    newestOnDisk: () => newest,
    read: hands.read,
    onChange: (trust) => told.push(trust),
  });
  t.teardown(() => watch.stop());
  await watch.start();
  t.same(watch.trust(), { trusted: true });
  newest = Temporal.Instant.fromEpochMilliseconds((hands.wallS + 60) * 1_000);
  t.match(watch.trust(), { trusted: false, why: /60.0 s earlier than the newest instant on disk/ });
  hands.pass(61);
  t.same(watch.trust(), { trusted: true });
  hands.wallS -= 5;
  newest = undefined;
  t.match(watch.trust(), { trusted: false, why: /stepped back by 5.0 s/ });
  hands.pass(3_600);
  t.match(watch.trust(), { trusted: false }, 'time alone heals no step');
  watch.acknowledge();
  t.same(watch.trust(), { trusted: true });
  t.same(
    told.map(({ trusted }) => trusted),
    [false, true, false, true],
  );
});

t.test('a watch in mode system asks in the background, never at a judgement', async (t) => {
  const hands = new Hands();
  let asked = 0;
  const source: SyncSource = {
    name: 'test',
    ask: async () => {
      asked += 1;
      return SYNCHRONISED;
    },
  };
  const watch = new ClockWatch({ mode: 'system', newestOnDisk: () => undefined, read: hands.read, sources: [source] });
  t.teardown(() => watch.stop());
  t.match(watch.trust(), { trusted: false, why: /not known yet/ });
  await watch.start();
  t.equal(asked, 1);
  for (let calls = 0; calls < 100; calls += 1) t.equal(watch.trust().trusted, true);
  t.equal(asked, 1);
  watch.stop();
  hands.pass(STALE_AFTER_MS / 1_000 + 1);
  t.match(
    watch.trust(),
    { trusted: false, why: /nothing has been heard/ },
    'a watch that was stopped is not believed for long',
  );
});

t.test("a watch on this machine's own clocks reads them together and sees no step", async (t) => {
  const watch = new ClockWatch({ mode: 'assume', newestOnDisk: () => undefined });
  for (let calls = 0; calls < 1_000; calls += 1) {
    if (!watch.trust().trusted) t.fail(JSON.stringify(watch.trust()));
  }
  t.pass();
});
