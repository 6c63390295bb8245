import t from 'tap';
import { GatewayMetrics } from '../../gateway/gateway-metrics.js';
import { trunkId } from '../../gateway/policy/ids.js';
import { startFleetServer } from '../../scripts/headquarters/fleet-server.js';
import { HeadquartersMetrics } from '../../scripts/headquarters/headquarters-metrics.js';
import { aStore } from '../store/folder.js';
import { aRecord, callNumber, instant } from '../store/samples.js';
import { aDatabase, clock } from './world.js';

/** Every line of the text format is a comment or a sample, and every name keeps to Prometheus' rules. */
function strangeLines(text: string): string[] {
  const line =
    /^(# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .+|[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? (-?[0-9.e+-]+|Nan|NaN|\+Inf))$/;
  return text.split('\n').filter((one) => one !== '' && !line.test(one));
}

t.test("the gateway's metrics count calls, refusals and talk, and read the store", async (t) => {
  const store = aStore(t);
  const metrics = new GatewayMetrics({
    calls: () => 3,
    outboxDepth: () => store.outbox.depth(),
    lastSequence: () => store.outbox.last(),
    room: () => store.roomLeft(),
    isConnected: () => false,
    isClockTrusted: () => true,
    sip: {
      engineStatus: async () => ({ messagesIn: 12, refusedByOpenOfAddress: 2, dialogs: 4 }),
      counts: { 'sip.refer': 3 },
      trunkStates: [
        { trunk: trunkId('first'), isUp: true },
        { trunk: trunkId('second'), isUp: false },
      ],
    },
  });
  store.calls.append([{ kind: 'event', type: 'balise.test.event', data: {} }]);
  const at = instant('2026-03-02T10:00:00Z');
  metrics.observer.ended(aRecord(callNumber(1), at));
  metrics.observer.ended(aRecord(callNumber(2), at, { cause: 'refused', rule: 'number.not-sanctioned', talkMs: 0 }));
  const { text, type } = await metrics.read();
  t.match(type, /text\/plain/);
  for (const line of [
    'balise_calls 3',
    'balise_outbox_events 1',
    'balise_outbox_last_sequence 1',
    'balise_store_has_room 1',
    'balise_uplink_connected 0',
    'balise_clock_trusted 1',
    'balise_calls_ended_total{cause="handset-hung-up"} 1',
    'balise_calls_refused_total{rule="number.not-sanctioned"} 1',
    'balise_talk_seconds_total 60',
    'balise_sip_engine_events_total{event="messages_in"} 12',
    'balise_sip_engine_events_total{event="refused_by_open_of_address"} 2',
    'balise_sip_engine_open{what="dialogs"} 4',
    'balise_sip_rules_broken_total{code="sip.refer"} 3',
    'balise_trunk_up{trunk="first"} 1',
    'balise_trunk_up{trunk="second"} 0',
  ]) {
    t.ok(text.split('\n').includes(line), line);
  }
  t.same(strangeLines(text), []);
  t.notMatch(text, /4420794/, 'no called number');
});

t.test("headquarters' metrics are read from this machine, and say what is missing and who is silent", async (t) => {
  const db = await aDatabase(t);
  await db.run(
    `INSERT INTO gateway (gateway, seen_ms, silent, highest, contiguous, contiguous_hash, asked_ms) VALUES ('a/b', 1, 1, 9, 4, '', 0)`,
  );
  const metrics = new HeadquartersMetrics(db);
  metrics.stored.inc(7);
  const none = () => Promise.reject(new Error('none'));
  const ingester = { order: none, sendPolicy: none };
  const server = await startFleetServer({
    address: '127.0.0.1',
    port: 0,
    db,
    clock,
    ingester,
    metrics: () => metrics.read(),
  });
  t.teardown(() => server.close());
  const text = await (await fetch(`${server.url}metrics`)).text();
  for (const line of [
    'balise_headquarters_events_stored_total 7',
    'balise_headquarters_gateways 1',
    'balise_headquarters_gateways_silent 1',
    'balise_headquarters_events_missing 5',
    'balise_headquarters_alarms_open 0',
  ]) {
    t.ok(text.split('\n').includes(line), line);
  }
  t.same(strangeLines(text), []);
});
