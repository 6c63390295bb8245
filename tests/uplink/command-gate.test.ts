import { CompactSign, importJWK } from 'jose';
import t from 'tap';
import type { Command, CutoffCommand, Ed25519PublicKey } from '../../config/schema/types.generated.js';
import { reconnectMs } from '../../gateway/uplink/back-off.js';
import { CommandGate } from '../../gateway/uplink/command-gate.js';
import { cutoffOrders } from '../../gateway/uplink/cutoff-order.js';
import { numberTokens } from '../../gateway/uplink/number-token.js';
import { newCommand, newSigningKey, signCommand } from '../../scripts/headquarters/sign-command.js';
import { callNumber, number, StillClock } from '../store/samples.js';

const ORDER = {
  type: 'cutoff',
  target: { kind: 'handset', handset: 'a-101' },
  hold: 10_000,
  reason: 'test',
  by: 'headquarters',
} as const;

async function world() {
  const { privateJwk, publicJwk } = await newSigningKey('hq-1');
  const clock = new StillClock();
  const keys = [publicJwk as unknown as Ed25519PublicKey];
  const gate = new CommandGate({ keys, gatewayId: 'demo/gw-1', clock });
  const command = newCommand(clock, 'demo/gw-1', ORDER);
  const judge = (text: string) => gate.judge(Buffer.from(text));
  const signed = (part: Partial<Command> | object) => signCommand(privateJwk, { ...command, ...part } as Command);
  return { privateJwk, publicJwk, clock, gate, command, judge, signed };
}

t.test('a command that headquarters signed for this gateway, now, is genuine', async (t) => {
  const { judge, signed, command, clock } = await world();
  t.same(await judge(await signed({})), { genuine: true, command });
  clock.add(29_999);
  t.same(await judge(await signed({})), { genuine: true, command }, 'until its very end');
});

t.test('what is not genuine is refused with its reason and the id that it says', async (t) => {
  const { judge, signed, command, clock, privateJwk } = await world();
  const { id } = command;
  const refused = async (why: string, text: string, said: string | null = id) => {
    const verdict = await judge(text);
    t.match(verdict, { genuine: false, why });
    t.equal('id' in verdict ? verdict.id : null, said);
  };
  const good = await signed({});
  await refused('unsigned', JSON.stringify(command));
  await refused('unsigned', 'nonsense', null);
  const none = [{ alg: 'none', kid: 'hq-1' }, command].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  await refused('bad-signature', `${none.join('.')}.`);
  const other = await newSigningKey('hq-1');
  await refused('bad-signature', await signCommand(other.privateJwk, command));
  await refused('unknown-key', await signCommand({ ...other.privateJwk, kid: 'hq-2' }, command));
  const [head, , tail] = good.split('.');
  const forged = Buffer.from(JSON.stringify({ ...command, hold: 0 })).toString('base64url');
  await refused('bad-signature', `${head}.${forged}.${tail}`);
  await refused('foreign', await signed({ gateway: 'demo/gw-2' }));
  await refused('expired', await signed({ iat: command.iat - 60, exp: command.iat }));
  await refused('not-yet', await signed({ iat: command.iat + 6, exp: command.iat + 30 }));
  await refused('long-lived', await signed({ exp: command.iat + 31 }));
  await refused('malformed', await signed({ type: 'open-the-gate' }));
  await refused('malformed', await signed({ target: { kind: 'handset' } }));
  await refused('malformed', await signed({ extra: true }));
  await refused('malformed', await signed({ id: '../x' }), null);
  await refused('too-long', await signed({ reason: 'x'.repeat(20_000) }), null);
  const key = await importJWK(privateJwk, 'EdDSA');
  const text = await new CompactSign(Buffer.from('no json'))
    .setProtectedHeader({ alg: 'EdDSA', kid: 'hq-1' })
    .sign(key);
  await refused('malformed', text, null);
  clock.add(30_000);
  await refused('expired', good);
});

t.test(
  'while our clock is not believed, an order that gives leave is refused, and one that takes it away is not',
  async (t) => {
    const { judge, signed, clock } = await world();
    const { target, hold, ...plain } = { ...ORDER };
    const release = await signed({ type: 'release', target, hold: undefined });
    const warrant = await signed({ type: 'warrant', jws: 'a.b.c', target: undefined, hold: undefined });
    t.match(await judge(release), { genuine: true });
    clock.trusted = { trusted: false, why: 'it was set back' };
    for (const order of [release, warrant])
      t.match(await judge(order), { genuine: false, why: 'clock-untrusted' }, 'it may be one of days ago, sent again');
    t.match(await judge(await signed({ ...plain, target, hold })), { genuine: true });
  },
);

t.test('a gateway with no key obeys nobody', async (t) => {
  const { command, privateJwk, clock } = await world();
  const gate = new CommandGate({ keys: [], gatewayId: 'demo/gw-1', clock });
  t.match(await gate.judge(Buffer.from(await signCommand(privateJwk, command))), { why: 'unknown-key' });
});

t.test('a called number has one token under one key, and another under another', (t) => {
  const token = numberTokens(Buffer.alloc(32, 1).toString('base64'));
  const callee = number('+442079460001');
  t.match(token(callee), /^[A-Za-z0-9_-]{43}$/);
  t.equal(token(callee), token(callee));
  t.not(token(callee), token(number('+442079460002')));
  t.not(token(callee), numberTokens(Buffer.alloc(32, 2).toString('base64'))(callee));
  t.throws(() => numberTokens('c2hvcnQ='), /5 bytes/);
  t.end();
});

t.test('a cutoff by number becomes one order for each call to that number', (t) => {
  const token = numberTokens(Buffer.alloc(32, 1).toString('base64'));
  const callee = number('+442079460001');
  const live = [1, 2, 3].map((n) => ({ call: callNumber(n), number: n === 2 ? number('+442079460009') : callee }));
  const common = { id: 'c', iat: 0, exp: 30, gateway: 'demo/gw-1' };
  const orders = cutoffOrders(
    { ...ORDER, ...common, target: { kind: 'number', numberToken: token(callee) } },
    live,
    token,
  );
  t.match(orders, [
    { id: 'c.1', target: { kind: 'call', call: callNumber(1) } },
    { id: 'c.2', target: { kind: 'call', call: callNumber(3) } },
  ]);
  t.match(cutoffOrders({ ...ORDER, ...common }, live, token), [{ id: 'c', hold: 10_000, target: ORDER.target }]);
  t.end();
});

t.test('a cutoff by number ends the call of a contact too, of which calls know the token alone', (t) => {
  const token = numberTokens(Buffer.alloc(32, 1).toString('base64'));
  const numberToken = token(number('+442079460001'));
  const live = [{ call: callNumber(1), number: number(numberToken) }];
  const command = { ...ORDER, id: 'c', iat: 0, exp: 30, gateway: 'demo/gw-1', target: { kind: 'number', numberToken } };
  t.match(cutoffOrders(command as CutoffCommand, live, token), [{ target: { kind: 'call', call: callNumber(1) } }]);
  t.end();
});

t.test('a cutoff of a site, a wing, a handset, a person or a call is one order for it, with its hold', (t) => {
  const common = { ...ORDER, id: 'c', iat: 0, exp: 30, gateway: 'demo/gw-1' };
  for (const target of [
    { kind: 'site' },
    { kind: 'wing', wing: 'b' },
    { kind: 'handset', handset: 'a-101' },
    { kind: 'person', person: 'p-1' },
    { kind: 'call', call: callNumber(1) },
  ] as const)
    t.same(
      cutoffOrders({ ...common, target }, [], () => 'token'),
      [{ id: 'c', reason: 'test', by: 'headquarters', hold: 10_000, target }],
    );
  t.end();
});

t.test('while headquarters changes its key, orders by the old one and by the new one are genuine', async (t) => {
  const { clock, command, privateJwk, publicJwk } = await world();
  const next = await newSigningKey('hq-2');
  const keys = [publicJwk, next.publicJwk] as unknown as Ed25519PublicKey[];
  const judge = async (known: readonly Ed25519PublicKey[], key: typeof privateJwk) =>
    new CommandGate({ keys: known, gatewayId: 'demo/gw-1', clock }).judge(Buffer.from(await signCommand(key, command)));
  for (const key of [privateJwk, next.privateJwk]) t.match(await judge(keys, key), { genuine: true });
  t.match(
    await judge(keys.slice(1), privateJwk),
    { genuine: false, why: 'unknown-key' },
    'until the old half is taken out',
  );
});

t.test('waits before a new connection double up to a minute, and no two gateways wait alike', (t) => {
  const longest = Array.from({ length: 12 }, (_, attempt) => reconnectMs(attempt, 1));
  t.same(longest.slice(0, 9), [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  for (const [attempt, ms] of longest.entries()) t.equal(reconnectMs(attempt, 0), ms / 2);
  t.equal(reconnectMs(100_000, 0.5), 45_000);
  t.end();
});
