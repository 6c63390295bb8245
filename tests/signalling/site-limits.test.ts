/** The SIP server's limits are the site's, and whoever looks sees what they refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadSite } from '../../gateway/config/site.js';
import { DEFAULT_LIMITS, limitsOf } from '../../gateway/sip-engine/config.js';
import { engineLimits } from '../../gateway/site-engine.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { makeSite } from '../peers/site.js';
import { CELL } from './house.js';
import { requestText, unique } from './message.js';
import { Peer } from './peer.js';
import { statusOf } from './phone.js';

const loopback = { address: '127.0.0.1', port: 0 };
const sip = (limits: object) => ({ realm: 'balise', engine: 'embedded', cell: loopback, carrier: loopback, limits });

t.test('what the manual calls the default of a limit is what the engine does', async (t) => {
  const { site } = await loadSite(makeSite(t, 5_080, { site: { sip: sip({}) } }));
  const engine = { listeners: [], client: { ...loopback, secret: 'x' } };
  t.same(limitsOf({ ...engine, ...engineLimits(site.sip.limits) }), DEFAULT_LIMITS);
  t.same(engineLimits(undefined), {});
});

t.test('a flood over the site’s limits is refused by the gateway’s engine, and /metrics says by which', async (t) => {
  const folder = makeSite(t, 5_080, {
    site: { sip: sip({ otherRatePerAddress: 5, lagMs: 10_000, headers: 32, refusalsPerAddress: 50 }) },
  });
  const gateway = await GatewayProcess.start(t, folder);
  const place = { address: '127.0.0.1', port: gateway.port('cell') };
  const peer = await Peer.udp(t, CELL, place);
  const uri = `sip:x@${place.address}:${place.port}`;
  const options = (more: readonly string[] = []): string => {
    const parts = { uri, from: '<sip:a@b>;tag=1', to: `<${uri}>`, callId: unique('flood'), cseq: 1, more };
    return requestText('OPTIONS', peer, parts);
  };
  for (let n = 0; n < 20; n++) peer.send(options());
  t.match(await peer.next((text) => statusOf(text) === 503), /Retry-After: \d/);
  peer.send(options(Array<string>(40).fill('X-Many: y')));
  t.equal(statusOf(await peer.next((text) => statusOf(text) === 400)), 400, 'a header more than the site takes');
  const token = readFileSync(join(folder, 'data', 'console.token'), 'utf8').trim();
  const response = await fetch(`http://127.0.0.1:${gateway.port('console')}/metrics`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const value = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  const text = await response.text();
  const refused = value('balise_sip_engine_events_total\\{event="refused_by_rate"\\}');
  t.ok(refused >= 1, `${refused} refused by the rate of their address`);
  t.equal(value('balise_sip_engine_events_total\\{event="refused_by_limit"\\}'), refused, 'and by no other limit');
  t.ok(value('balise_sip_engine_events_total\\{event="parse_errors"\\}') >= 1);
  t.equal(value('balise_sip_engine_open\\{what="applications"\\}'), 1);
  t.equal(value('balise_trunk_up\\{trunk="carrier"\\}'), 1);
});
