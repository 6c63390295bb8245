/** Contacts on loan: headquarters' pool, two gateways, and every order in which batches, outcomes and closings can come. */
import fc from 'fast-check';
import { exportJWK, generateKeyPair } from 'jose';
import t, { type Test } from 'tap';
import type { Ed25519PublicKey, WorkContactData } from '../../config/schema/types.generated.js';
import type { E164 } from '../../gateway/policy/ids.js';
import type { Store } from '../../gateway/store/store.js';
import { BatchDesk } from '../../gateway/work/batch-desk.js';
import { NumberSeal } from '../../gateway/work/number-seal.js';
import { ContactLeases } from '../../scripts/headquarters/contact-leases.js';
import { SqliteDatabase } from '../../scripts/headquarters/records/sqlite.js';
import { type SigningKey, signValue } from '../../scripts/headquarters/sign-command.js';
import { aFolder, aStore } from '../store/folder.js';
import { StillClock } from '../store/samples.js';
import { aCampaign, at, calleeHours } from './samples.js';

const NOON = '2026-03-04T12:00:00Z';
const HOUR = 3_600_000;
const SHARED = new NumberSeal(Buffer.alloc(32, 1), 'batch');
const number = (n: number) => `+4420794600${String(n).padStart(2, '0')}` as E164;

async function pool(t: Test, numbers: number): Promise<ContactLeases> {
  const db = new SqliteDatabase(':memory:');
  t.teardown(() => db.close());
  const leases = await ContactLeases.open(db, SHARED);
  const contacts = Array.from({ length: numbers }, (_, n) => ({ number: number(n), language: 'nl' as const }));
  t.equal(await leases.add('survey', contacts), numbers);
  return leases;
}

async function signing(): Promise<{ key: SigningKey; keys: Ed25519PublicKey[] }> {
  const { privateKey, publicKey } = await generateKeyPair('Ed25519', { extractable: true });
  const kid = 'hq-1';
  const key = { ...(await exportJWK(privateKey)), kid } as SigningKey;
  return { key, keys: [{ ...(await exportJWK(publicKey)), kid } as Ed25519PublicKey] };
}

function aDesk(t: Test, gatewayId: string, keys: Ed25519PublicKey[]) {
  const clock = new StillClock();
  clock.set(NOON);
  const store: Store = aStore(t, { folder: aFolder(t), clock, gatewayId });
  store.work.putCampaign(aCampaign());
  const seal = new NumberSeal(Buffer.alloc(32, gatewayId.length));
  const parts = {
    store: store.work,
    clock,
    gatewayId,
    country: 'GB',
    keys,
    seal,
    batchSeal: SHARED,
    callee: calleeHours(),
  };
  return { desk: new BatchDesk(parts), store, clock, seal };
}

const lending = { campaign: 'survey', most: 10, nowMs: at(NOON), expiresMs: at(NOON) + 4 * HOUR };

t.test('two gateways never have the same contact', async (t) => {
  const leases = await pool(t, 15);
  const one = await leases.lend({ ...lending, batch: 'b-1', gateway: 'demo/gw-1' });
  const two = await leases.lend({ ...lending, batch: 'b-2', gateway: 'demo/gw-2' });
  t.equal(await leases.lend({ ...lending, batch: 'b-3', gateway: 'demo/gw-3' }), undefined);
  const tokens = [...(one?.contacts ?? []), ...(two?.contacts ?? [])].map(({ token }) => token);
  t.equal(tokens.length, 15);
  t.equal(new Set(tokens).size, 15);
  t.notMatch(JSON.stringify([one, two]), /20794600/);
});

t.test(
  'a batch is taken once, when it is signed, in time and for this gateway; its numbers are sealed anew',
  async (t) => {
    const { key, keys } = await signing();
    const leases = await pool(t, 5);
    const batch = await leases.lend({ ...lending, batch: 'b-1', gateway: 'demo/gw-1' });
    const { desk, store, clock, seal } = aDesk(t, 'demo/gw-1', keys);
    const jws = await signValue(key, batch ?? {});
    t.match(await desk.take(`${jws.slice(0, -8)}AAAAAAAA`), { taken: false, why: 'bad-signature' });
    t.match(await desk.take('hello'), { taken: false, why: 'bad-signature' });
    t.match(await desk.take(await signValue({ ...key, kid: 'other' }, batch ?? {})), { why: 'unsigned' });
    t.match(await desk.take(await signValue(key, { ...batch, contacts: [] })), { why: 'malformed' });
    t.match(await desk.take(await signValue(key, { ...batch, campaign: 'other' })), { why: 'unknown-campaign' });
    t.match(await desk.take(jws), { taken: true, contacts: 5, unusable: 0 });
    t.match(await desk.take(jws), { taken: false, why: 'replayed' });
    t.match(await aDesk(t, 'demo/gw-2', keys).desk.take(jws), { why: 'foreign' });
    const [first] = store.work.contacts(0, 10);
    const sealed = store.work.sealed(first?.ref ?? 0);
    t.match(seal.unseal(sealed?.sealed ?? Buffer.alloc(0), sealed?.token ?? ''), /^\+4420794600\d\d$/);
    t.throws(() => seal.unseal(sealed?.sealed ?? Buffer.alloc(0), 'another-contact'), { name: 'SealBroken' });
    clock.add(5 * HOUR);
    const late = await signValue(key, { ...batch, batch: 'b-2' });
    t.match(await desk.take(late), { taken: false, why: 'expired' });
  },
);

t.test('when the loan is over the rest is given back, with its attempts, and may come again', async (t) => {
  const { key, keys } = await signing();
  const leases = await pool(t, 3);
  const { desk, store, clock } = aDesk(t, 'demo/gw-1', keys);
  await desk.take(await signValue(key, (await leases.lend({ ...lending, batch: 'b-1', gateway: 'demo/gw-1' })) ?? {}));
  const [first, second] = store.work.contacts(0, 10);
  store.work.attempt(first?.ref ?? 0, { attempts: 1, dayAttempts: 1, dayEndsMs: 0 });
  const again = { isOver: false, outcome: 'no-answer', readyMs: at(NOON) + 9 * HOUR, isCallBack: false };
  store.work.settle(first?.ref ?? 0, again, []);
  store.work.settle(second?.ref ?? 0, { ...again, isOver: true, outcome: 'refused', silentUntilMs: Infinity }, []);
  t.same(desk.expire(), [], 'not yet');
  clock.add(4 * HOUR);
  t.same(desk.expire(), ['b-1']);
  t.same(desk.expire(), [], 'once');
  t.same(store.work.contacts(0, 10), [], 'nothing of it is called any more');
  const [event] = store.outbox.pending({ alarm: 0, event: 0 }, 10);
  const { data } = JSON.parse(event?.body ?? '{}');
  t.match(data, {
    batch: 'b-1',
    why: 'expired',
    unused: [{ attempts: 1, notBefore: '2026-03-04T21:00:00Z' }, { attempts: 0 }],
  });
  t.equal(data.unused.length, 2);
  await leases.closed('demo/gw-1', data);
  const later = { ...lending, nowMs: at(NOON) + 5 * HOUR, expiresMs: at(NOON) + 12 * HOUR };
  const back = await leases.lend({ ...later, batch: 'b-2', gateway: 'demo/gw-1' });
  t.equal(back?.contacts.length, 2, 'whoever refused is not among them');
  t.match(await desk.take(await signValue(key, back ?? {})), { taken: true, contacts: 2 });
});

t.test('time alone frees nothing at headquarters: a gateway that was offline may have been refused', async (t) => {
  const leases = await pool(t, 2);
  await leases.lend({ ...lending, batch: 'b-1', gateway: 'demo/gw-1' });
  const late = { ...lending, nowMs: lending.expiresMs + HOUR, expiresMs: lending.expiresMs + 2 * HOUR };
  t.equal(await leases.lend({ ...late, batch: 'b-2', gateway: 'demo/gw-2' }), undefined);
  t.same(await leases.overdue(late.nowMs), [{ batch: 'b-1', gateway: 'demo/gw-1' }]);
  t.equal(await leases.forfeit('b-1'), 2);
  t.equal(await leases.lend({ ...late, batch: 'b-3', gateway: 'demo/gw-2' }), undefined, 'and what is forfeit is over');
});

const OUTCOMES = ['refused', 'completed', 'no-answer', 'call-back', 'undisposed'] as const;

t.test(
  'in whatever order gateways report, no contact is with two of them, or lent again after it is over',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            do: fc.constantFrom('lend', 'heard', 'closed'),
            gateway: fc.nat(2),
            pick: fc.nat(20),
            how: fc.constantFrom(...OUTCOMES),
          }),
          {
            maxLength: 40,
            size: 'max',
          },
        ),
        async (script) => {
          const db = new SqliteDatabase(':memory:');
          const leases = await ContactLeases.open(db, SHARED);
          await leases.add(
            'survey',
            Array.from({ length: 8 }, (_, n) => ({ number: number(n), language: 'nl' as const })),
          );
          const batches: { id: string; gateway: string; open: boolean; holds: Set<string> }[] = [];
          const over = new Set<string>();
          for (const [index, deed] of script.entries()) {
            const gateway = `demo/gw-${deed.gateway}`;
            const mine = batches.filter((one) => one.gateway === gateway && one.open);
            const one = mine[deed.pick % Math.max(1, mine.length)];
            if (deed.do === 'lend') {
              const lent = await leases.lend({ ...lending, most: 3, batch: `b-${index}`, gateway });
              const tokens = new Set(lent?.contacts.map(({ token }) => token) ?? []);
              for (const token of tokens) {
                if (over.has(token)) throw new Error('lent after its end');
                if (batches.some(({ holds }) => holds.has(token))) throw new Error('with two gateways');
              }
              if (lent !== undefined) batches.push({ id: lent.batch, gateway, open: true, holds: tokens });
            } else if (deed.do === 'heard' && one !== undefined && one.holds.size > 0) {
              const contact = [...one.holds][deed.pick % one.holds.size] as string;
              const goesOn = deed.how === 'no-answer' || deed.how === 'call-back';
              if (!goesOn) {
                over.add(contact);
                one.holds.delete(contact);
              }
              const said = { campaign: 'survey', contact, disposition: deed.how, batch: one.id, attempts: 1 };
              await leases.heard(gateway, said as WorkContactData);
            } else if (deed.do === 'closed' && one !== undefined) {
              const unused = [...one.holds].map((token) => ({ token, attempts: 0 }));
              one.open = false;
              one.holds.clear();
              const closing = { batch: one.id, campaign: 'survey', why: 'unused' as const, unused, at: NOON };
              await leases.closed(gateway, closing);
              await leases.closed(gateway, closing);
            }
          }
          await db.close();
        },
      ),
      { numRuns: 60 },
    );
  },
);
