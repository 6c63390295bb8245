/** What drachtio-srf orders of the SIP server is the same to the letter from a thrifty agent. */
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { type Agent, thrifty } from '../../gateway/signalling/thrifty-agent.js';

const require = createRequire(import.meta.url);
const DrachtioAgent = require('drachtio-srf/lib/drachtio-agent.js') as new () => Agent;
const SipMessage = require('drachtio-srf/lib/sip-parser/message.js') as new (
  parts?: object,
) => Parameters<Agent['sendMessage']>[1];

/** What an agent writes to the server for a message. */
function sentBy(agent: Agent, ...order: readonly [message: object, orders?: object]): string {
  let sent = '';
  agent.wp = {
    send: (_socket, payload) => {
      sent = payload;
      return 'id';
    },
  };
  agent.sendMessage(new Socket(), new SipMessage(order[0]), order[1]);
  return sent;
}

const headers = fc.dictionary(
  fc.constantFrom('From', 'from', 'to', 'Contact', 'X-Balise', 'Server', 'Warning', 'Content-Type', 'Require'),
  fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('<sip:a@b>', 'application/sdp')),
);
const first = fc.oneof(
  fc.record({ status: fc.constantFrom(180, 200, 486), reason: fc.constantFrom('OK', '') }),
  fc.record({ method: fc.constantFrom('ACK', 'BYE'), uri: fc.constant('sip:a@b') }),
);
const body = fc.option(fc.constantFrom('', 'v=0\r\n', 'ü'), { nil: undefined });
const message = fc.tuple(first, headers, body).map(([start, all, text]) => ({ ...start, headers: all, body: text }));
const orders = fc.option(
  fc.record(
    { headers, body, stackTxnId: fc.constant('transaction'), stackDialogId: fc.constant('dialog') },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);

t.test('responses and ACKs are written as drachtio-srf writes them', async () => {
  fc.assert(
    fc.property(message, orders, (one, order) => {
      const ours = sentBy(thrifty(new DrachtioAgent()), structuredClone(one), structuredClone(order));
      return ours === sentBy(new DrachtioAgent(), structuredClone(one), structuredClone(order));
    }),
  );
});
