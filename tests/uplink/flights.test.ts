import type { MqttClient } from 'mqtt';
import t from 'tap';
import { mayMeanVersion } from '../../gateway/uplink/connection.js';
import { Flights } from '../../gateway/uplink/flights.js';

/** A broker that confirms when the test says so. */
function aBroker(receiveMaximum: number, maximumPacketSize = 1_000) {
  const sent: string[] = [];
  const open: ((fault?: Error) => void)[] = [];
  const publish = (topic: string, _payload: string, _how: object, done: (fault?: Error) => void) => {
    sent.push(topic);
    open.push(done);
  };
  const client = { publish } as unknown as MqttClient;
  return { sent, flights: new Flights(client, receiveMaximum, maximumPacketSize), confirm: () => open.shift()?.() };
}

t.test('a broker that takes one at a time gets one at a time, in order, whatever they are', (t) => {
  const { sent, flights, confirm } = aBroker(1);
  const done: string[] = [];
  for (const topic of ['presence', 'status', 'event', 'ack/1'])
    flights.publish(topic, '{}', {}, () => done.push(topic));
  t.same(sent, ['presence']);
  confirm();
  t.same([sent, done], [['presence', 'status'], ['presence']]);
  for (let n = 0; n < 3; n += 1) confirm();
  t.same(done, ['presence', 'status', 'event', 'ack/1']);
  flights.publish('event', '{}', {});
  t.equal(sent.length, 5, 'and there is room again');
  t.end();
});

t.test('a packet that the broker does not take is not sent, and its sender is told', async (t) => {
  const { sent, flights } = aBroker(10, 100);
  const fault = await new Promise((settle) => flights.publish('status', 'x'.repeat(100), {}, settle));
  t.match(fault, { message: /122 bytes, and 100 is the most/ });
  t.same(sent, []);
});

t.test('another version is tried when the broker says so or hangs up, and for no other reason', (t) => {
  const fault = (code: unknown) => Object.assign(new Error('why'), { code });
  for (const code of [0x84, 0x01, 'ECONNRESET']) t.ok(mayMeanVersion(fault(code)), String(code));
  t.ok(mayMeanVersion(undefined));
  t.ok(mayMeanVersion(new Error('connack timeout')));
  // Not authorized, busy, quota exceeded, server moved; no route, nobody there, a certificate that has lapsed.
  const others = [0x87, 0x05, 0x89, 0x97, 0x9c, 0x9d, 'EHOSTUNREACH', 'ECONNREFUSED', 'CERT_HAS_EXPIRED', 'ERR_SSL_X'];
  for (const code of others) t.notOk(mayMeanVersion(fault(code)), String(code));
  t.end();
});
