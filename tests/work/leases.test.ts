/** Contacts on loan: headquarters' pool, gateways, and every order in which batches, outcomes and closings can come (BALISE_RUNS: how many). */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { batchSeal } from '../../gateway/work/batch-seal.js';
import { signValue } from '../../scripts/headquarters/sign-command.js';
import { LoanWatch, payload } from './loan-watch.js';
import { contacts, HOUR, type LoanGateway, LoanWorld, number, POOL_SEAL, signing, TOKEN_KEY } from './loan-world.js';

const signed = await signing();

async function world(t: Test, gateways: number, numbers: number): Promise<LoanWorld> {
  const made = await LoanWorld.make(signed, gateways, numbers);
  t.teardown(() => made.close());
  return made;
}

/** The gateway asks, and everything arrives. */
async function supplied(made: LoanWorld, ...gateways: readonly LoanGateway[]): Promise<void> {
  for (const gateway of gateways) gateway.keeper.look();
  await made.settle();
}

t.test('a gateway where somebody works asks for contacts and gets them, up to what its campaign says', async (t) => {
  const made = await world(t, 2, 10);
  const [one, two] = made.gateways as [LoanGateway, LoanGateway];
  two.isWorking = false;
  await supplied(made, one, two);
  t.equal(one.store.work.lentContacts('survey'), 3);
  t.equal(one.store.work.lentContacts('sales'), 3);
  t.same(two.holds(), [], 'nobody works there');
  t.equal(made.sent.length, 2, 'each batch was sent once, for it was heard of');
  await supplied(made, one);
  t.equal(made.sent.length, 2, 'it has enough');
});

t.test('a callee is with one gateway at a time, whichever campaigns it is in', async (t) => {
  const made = await world(t, 2, 4);
  await supplied(made, ...made.gateways);
  made.check();
  const all = made.gateways.flatMap((gateway) => gateway.holds().map(({ number: callee }) => callee));
  t.equal(new Set(all).size, 4, 'and none is left lying');
});

t.test(
  'what travels is sealed to its gateway’s own key: not in clear, and the site’s token key opens nothing',
  async (t) => {
    const made = await world(t, 2, 3);
    const [one, two] = made.gateways as [LoanGateway, LoanGateway];
    await supplied(made, one);
    t.equal(made.sent.length, 2);
    for (const jws of made.sent) {
      const batch = payload(jws);
      t.notMatch(JSON.stringify(batch), /20794600/);
      const [contact] = batch.contacts;
      const sealed = Buffer.from(contact?.sealed ?? '', 'base64url');
      const token = contact?.token ?? '';
      t.match(one.batchKey.sealOf(batch.sealing).unseal(sealed, token), /^\+4420794600\d\d$/);
      const others = [two.batchKey.sealOf(batch.sealing), batchSeal(TOKEN_KEY, one.id), POOL_SEAL];
      for (const other of others) t.throws(() => other.unseal(sealed, token), { name: 'SealBroken' });
    }
  },
);

t.test('a gateway that announces no key is lent contacts under the token key, as before there were any', async (t) => {
  const made = await world(t, 1, 3);
  const [one] = made.gateways as [LoanGateway];
  const data = { campaign: 'survey', most: 3, languages: ['nl'], at: made.clock.wall().toString() };
  one.store.work.append([{ kind: 'event', type: 'balise.work.batch-wanted', data }]);
  await made.report(one);
  await made.lender.look();
  t.equal(payload(made.sent[0] ?? '').sealing, undefined);
  t.match(await one.keeper.take(Buffer.from(made.sent[0] ?? '')), {
    state: 'done',
    result: { contacts: 3, unusable: 0 },
  });
});

t.test('a gateway whose key is another now gives back what was sealed to the old one, whole and free', async (t) => {
  const made = await world(t, 1, 3);
  const [one] = made.gateways as [LoanGateway];
  one.keeper.look();
  await made.report(one);
  one.replaceKey();
  await made.lender.look();
  for (const jws of made.sent) t.match(await one.keeper.take(Buffer.from(jws)), { state: 'refused', why: 'other-key' });
  one.isWorking = false;
  await made.settle();
  t.ok((await made.pool()).every(({ state }) => state === 'free'));
  one.isWorking = true;
  made.clock.add(HOUR);
  await supplied(made, one);
  t.ok(one.holds().length > 0, 'and is lent them anew, to the new one');
});

t.test('forged, foreign, lapsed and repeated batches give no contact; the genuine ones go back whole', async (t) => {
  const made = await world(t, 2, 8);
  const [one, two] = made.gateways as [LoanGateway, LoanGateway];
  one.keeper.look();
  await made.report(one);
  await made.lender.look();
  const [jws = ''] = made.sent;
  const batch = payload(jws);
  const take = (text: string, gateway = one) => gateway.keeper.take(Buffer.from(text));
  t.equal(await take(`${jws.slice(0, -8)}AAAAAAAA`), undefined);
  t.equal(await take('hello'), undefined);
  t.equal(await take(await signValue({ ...signed.key, kid: 'other' }, batch)), undefined);
  t.equal(await take(await signValue(signed.key, { ...batch, contacts: [] })), undefined);
  t.equal(await take(`${'x'.repeat(1_100_000)}.y.z`), undefined);
  t.equal(await take(jws, two), undefined);
  t.same(one.holds(), []);
  t.same(two.holds(), []);
  const other = { ...batch, batch: 'b-other', campaign: 'other' };
  t.match(await take(await signValue(signed.key, other)), { id: 'b-other', state: 'refused', why: 'unknown-campaign' });
  const late = { ...batch, batch: 'b-late', expiresAt: batch.issuedAt };
  t.match(await take(await signValue(signed.key, late)), { id: 'b-late', state: 'refused', why: 'expired' });
  t.match(await take(jws), { id: batch.batch, state: 'done', result: { contacts: 3, unusable: 0 } });
  t.match(await take(jws), { id: batch.batch, state: 'refused', why: 'replayed' });
  const closed = one.events().filter(({ event }) => event.type === 'balise.work.batch-closed');
  t.match(
    closed.map(({ event }) => event.data),
    [
      { batch: 'b-other', why: 'refused', unused: [{}, {}, {}] },
      { batch: 'b-late', why: 'refused', unused: [{}, {}, {}] },
    ],
  );
});

t.test(
  'a batch that never arrives is sent again; one that arrives after its end is given back, and free',
  async (t) => {
    const made = await world(t, 1, 3);
    const [one] = made.gateways as [LoanGateway];
    one.keeper.look();
    await made.report(one);
    await made.lender.look();
    const first = made.sent.length;
    await made.lender.look();
    t.equal(made.sent.length, first, 'not at once');
    made.clock.add(5_000);
    await made.lender.look();
    t.equal(made.sent.length, 2 * first);
    made.clock.add(5 * HOUR);
    t.ok(
      (await made.pool()).every(({ state }) => state === 'lent'),
      'time alone frees nothing',
    );
    await made.settle();
    t.same(one.holds(), []);
    t.ok((await made.pool()).every(({ state }) => state === 'free'));
  },
);

t.test('a contact that cannot be called from here is over, and named', async (t) => {
  const made = await world(t, 1, 0);
  const [good] = contacts(1);
  if (good === undefined) throw new Error('no contact');
  await made.lender.leases.add('survey', [{ ...good, sealed: POOL_SEAL.seal('+88213123456' as never, good.token) }]);
  await supplied(made, ...made.gateways);
  await made.settle();
  t.match(await made.pool(), [{ state: 'over', outcome: 'unusable' }]);
});

t.test('when the loan is over the rest is free again, with its attempts; whoever refused is not', async (t) => {
  const made = await world(t, 2, 3);
  const [one, two] = made.gateways as [LoanGateway, LoanGateway];
  await supplied(made, one);
  one.settle(one.call(0) ?? 0, 'no-answer');
  one.settle(one.call(0) ?? 0, 'refused');
  made.clock.add(5 * HOUR);
  one.isWorking = false;
  one.keeper.look();
  await made.settle();
  t.same(one.holds(), []);
  await supplied(made, two);
  const refused = (await made.pool()).filter(({ outcome }) => outcome === 'refused');
  t.equal(refused.length, 1);
  const numbers = two.holds().map(({ number: callee }) => POOL_SEAL.names(callee).token);
  t.ok(numbers.length > 0);
  t.notOk(numbers.includes(refused[0]?.token ?? ''), 'not even for the other campaign');
});

t.test(
  'where nobody works for half an hour contacts go back; one that is being called goes back when it is over',
  async (t) => {
    const made = await world(t, 1, 2);
    const [one] = made.gateways as [LoanGateway];
    await supplied(made, one);
    const held = one.call(0) ?? 0;
    one.isWorking = false;
    made.clock.add(HOUR);
    one.keeper.look();
    t.equal(one.holds().length, 1, 'the call goes on');
    t.throws(() => one.store.work.attempt(held, { attempts: 1, dayAttempts: 1, dayEndsMs: 0 }), /not to be called/);
    await made.settle();
    t.equal((await made.pool()).filter(({ state }) => state === 'lent').length, 1);
    one.settle(held, 'no-answer');
    t.same(one.holds(), [], 'and then it is nobody’s here');
    await made.settle();
    t.ok((await made.pool()).every(({ state }) => state === 'free'));
  },
);

t.test('a gateway that is gone for good is given up by people: what it may have called is over', async (t) => {
  const made = await world(t, 2, 2);
  const [one, two] = made.gateways as [LoanGateway, LoanGateway];
  await supplied(made, one);
  made.clock.add(9 * HOUR);
  await supplied(made, two);
  t.same(two.holds(), []);
  const nowMs = made.clock.wall().epochMilliseconds;
  const overdue = await made.lender.leases.overdue(nowMs);
  t.match(
    overdue.map(({ gateway, contacts: count }) => [gateway, Number(count)]),
    [
      ['demo/gw-1', 2],
      ['demo/gw-1', 2],
    ],
  );
  for (const { batch } of overdue) t.equal(await made.lender.leases.forfeit(batch), 2);
  await supplied(made, two);
  t.same(two.holds(), [], 'nobody can say who has refused');
});

t.test('what a gateway says of a batch that was lent to another changes nothing', async (t) => {
  const made = await world(t, 2, 3);
  const [one, two] = made.gateways as [LoanGateway, LoanGateway];
  await supplied(made, one);
  const before = await made.pool();
  t.ok(before.every(({ state, gateway }) => state === 'lent' && gateway === one.id));
  for (let claim = 0; claim < 6; claim += 1)
    for (const jws of made.sent) {
      two.claim(payload(jws), claim);
      await made.report(two);
      await made.lender.look();
      t.same(await made.pool(), before);
    }
  two.isWorking = true;
  await supplied(made, two);
  t.same(two.holds(), [], 'nor is it lent what it talked of');
});

/** How often each thing is done: most of a script is everyday work, so that what goes wrong does so in the middle of it. */
const DEEDS = fc.oneof(
  ...(
    [
      ['supply', 6],
      ['call', 5],
      ['deliver', 2],
      ['report', 2],
      ['keep', 2],
      ['look', 2],
      ['claim', 3],
      ['night', 2],
      ['time', 2],
      ['skew', 1],
      ['idle', 1],
      ['restart', 1],
      ['headquarters', 1],
    ] as const
  ).map(([deed, weight]) => ({ weight, arbitrary: fc.constant(deed) })),
);
const OUTCOMES = ['refused', 'completed', 'no-answer', 'call-back', 'do-not-call', 'undisposed'] as const;

t.test(
  'whatever is lost, doubled, late or restarted: no callee is with two gateways, none is lent after its end, none is lost',
  { timeout: 120_000 },
  async () => {
    const deed = fc.record({
      do: DEEDS,
      gateway: fc.nat(2),
      pick: fc.nat(30),
      count: fc.nat(6),
      how: fc.constantFrom(...OUTCOMES),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 10, maxLength: 40, size: 'max' }), async (script) => {
        const made = await LoanWorld.make(signed, 3, 6);
        const watch = new LoanWatch(made);
        const over = new Set<string>();
        const calling = new Map<LoanGateway, number>();
        try {
          for (const gateway of made.gateways.slice(0, 2)) await supply(gateway);
          for (const { do: what, gateway: index, pick, count, how } of script) {
            const gateway = made.gateways[index] as LoanGateway;
            if (what === 'look') {
              await made.lender.look();
              await watch.pool();
            } else if (what === 'supply') await supply(gateway);
            else if (what === 'keep') {
              gateway.keeper.look();
              watch.gateway(gateway);
            } else if (what === 'report') await made.report(gateway, pick % 2 === 0 ? 0 : pick % 8, 1 + count * 4);
            else if (what === 'deliver') {
              // To whom it is addressed, or to anybody.
              const jws = made.sent[pick % Math.max(1, made.sent.length)];
              const to = jws === undefined ? '' : payload(jws).gateway;
              const addressed = made.gateways.find(({ id }) => id === to);
              const taker = pick % 3 === 0 ? gateway : addressed;
              if (jws !== undefined) await taker?.keeper.take(Buffer.from(jws));
            } else if (what === 'call') {
              const held = calling.get(gateway) ?? gateway.call(pick);
              if (held !== undefined && pick % 3 === 0) calling.set(gateway, held);
              else if (held !== undefined) settle(gateway, held, how);
            } else if (what === 'restart') {
              const held = calling.get(gateway);
              if (held !== undefined) note(gateway, held);
              calling.delete(gateway);
              gateway.restart();
            } else if (what === 'idle') gateway.isWorking = !gateway.isWorking;
            else if (what === 'time') made.clock.add(count * 1_200_000);
            // Before headquarters' or behind it, by half an hour at the most.
            else if (what === 'skew') gateway.clock.skewMs = (count - 3) * 600_000;
            else if (what === 'claim') await claim(gateway, pick);
            // Longer than any loan.
            else if (what === 'night') made.clock.add(5 * HOUR);
            else made.restartHeadquarters();
            made.check();
            for (const { id, holds } of made.gateways.map((one) => ({ id: one.id, holds: one.holds() })))
              for (const { campaign, number: callee } of holds)
                if (over.has(`${campaign} ${callee}`)) throw new Error(`${callee} is at ${id} after its end`);
          }
          for (const [gateway, held] of calling) settle(gateway, held, 'completed');
          for (const gateway of made.gateways) gateway.clock.skewMs = 0;
          // Loans end while people go on working, and not only where nobody does.
          made.clock.add(5 * HOUR);
          for (const gateway of made.gateways) {
            gateway.isWorking = true;
            gateway.keeper.look();
            watch.gateway(gateway);
          }
          await made.settle();
          await watch.pool();
          await watch.ended();
          for (const gateway of made.gateways) gateway.isWorking = false;
          made.clock.add(9 * HOUR);
          for (const gateway of made.gateways) gateway.keeper.look();
          await made.settle();
          await watch.pool();
          const pool = await made.pool();
          for (const { campaign, token, state } of pool) {
            const callee = [0, 1, 2, 3, 4, 5].map(number).find((one) => POOL_SEAL.names(one).token === token);
            const wanted = over.has(`${campaign} ${callee}`) ? 'over' : 'free';
            if (state !== wanted) throw new Error(`${callee} of ${campaign} is ${state} at the end, not ${wanted}`);
          }
        } finally {
          await made.close();
        }

        /** The gateway asks, is lent, takes, and says so. */
        async function supply(gateway: LoanGateway): Promise<void> {
          gateway.keeper.look();
          watch.gateway(gateway);
          await made.report(gateway);
          await made.lender.look();
          await watch.pool();
          for (const jws of made.sent)
            if (payload(jws).gateway === gateway.id) await gateway.keeper.take(Buffer.from(jws));
          await made.report(gateway);
        }
        /** A gateway says something of a batch that was lent to another, and is heard. */
        async function claim(gateway: LoanGateway, pick: number): Promise<void> {
          const others = made.sent.map(payload).filter((one) => one.gateway !== gateway.id);
          // Of the newest: those are most likely to be open.
          const batch = others[others.length - 1 - (pick % Math.max(1, Math.min(4, others.length)))];
          if (batch === undefined) return;
          gateway.claim(batch, pick);
          await made.report(gateway);
          await made.lender.look();
          await watch.pool();
        }
        function note(gateway: LoanGateway, held: number): void {
          const stored = gateway.store.work.sealed(held);
          if (stored === undefined) throw new Error('gone');
          over.add(`${stored.campaign} ${gateway.seal.unseal(stored.sealed, stored.token)}`);
        }
        function settle(gateway: LoanGateway, held: number, how: (typeof OUTCOMES)[number]): void {
          calling.delete(gateway);
          const attempts = gateway.store.work.sealed(held)?.attempts ?? 0;
          if ((how !== 'no-answer' && how !== 'call-back') || attempts >= 4) note(gateway, held);
          gateway.settle(held, how);
        }
      }),
      { numRuns: Number(process.env.BALISE_RUNS ?? 20) },
    );
  },
);
