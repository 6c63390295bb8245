/** Numbers that headquarters, or whoever was called, wants never to be called again: the whole program, over a real mosquitto. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { E164 } from '../../gateway/policy/ids.js';
import { numberTokens } from '../../gateway/uplink/number-token.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';

import { balise } from '../cli/terminal.js';
import { ALLOWED, callUp } from '../peers/call-up.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { Headquarters } from '../peers/headquarters.js';
import { needs } from '../peers/needs.js';
import { handsetPeer } from '../peers/scenario.js';

const opts = needs('sip-tester', 'mosquitto');
const OTHER = '+442079460002';
const said = { type: 'do-not-call', reason: 'asked by letter', by: 'duty desk' } as const;

t.test(
  'an ordered number ends its call, is refused from then on and after a restart, and stands in no log',
  opts,
  async (t) => {
    const headquarters = await Headquarters.start(t);
    const call = await callUp(t, { profile: { hookRequired: false }, parts: { uplink: headquarters.uplink } });
    const stranger = await newSigningKey('hq-test');
    t.match(await headquarters.order({ ...said, numbers: [ALLOWED] }, stranger.privateJwk), { state: 'refused' });
    t.match(await headquarters.order({ ...said, numbers: ['+4420794600019999'.slice(0, 16)] }), {
      state: 'failed',
      why: 'no-number',
    });
    const { length } = call.trunkProbe.heardNs;
    await call.trunkProbe.heard(length + 10);
    t.pass('what is forged or no number changes nothing');

    const token = numberTokens(String(headquarters.uplink.tokenKey))(OTHER as E164);
    const ack = await headquarters.order({ ...said, numbers: [ALLOWED], numberTokens: [token] });
    t.match(ack, { state: 'done', result: { numbers: 2, listed: 2 } });
    t.match(await call.near.exited, { code: 0 }, 'the call to it ends');
    await call.far.exited;
    t.match((await headquarters.event('balise.dnc.added')).data, { why: said.reason, by: said.by });

    const isRefused = async (running: GatewayProcess, dialled: string) => {
      const from = running.lines.length;
      const peer = {
        user: 'a101',
        port: running.port('cell'),
        rtpPort: 9,
        scenario: 'handset-refused',
        status: 403,
      } as const;
      t.equal((await (await handsetPeer(t, { ...peer, dialled })).exited).code, 0);
      t.match(await running.logged(({ event, cause }) => event === 'call.ended' && cause === 'refused', from), {
        rule: 'dnc.listed',
      });
    };
    await isRefused(call.running, ALLOWED);
    await isRefused(call.running, OTHER);
    await call.running.end();
    const again = await GatewayProcess.start(t, call.siteFolder);
    await isRefused(again, ALLOWED);

    const lifted = [
      'dnc',
      'import',
      '--site',
      call.siteFolder,
      '--list',
      'lifted',
      '--made',
      new Date().toISOString(),
      '-',
    ];
    const from = again.lines.length;
    t.equal((await balise(lifted, `${ALLOWED}\n`)).status, 0);
    await again.logged((line) => line.event === 'policy.changed', from);
    const explained = await balise(['explain', '--site', call.siteFolder, '--handset', 'a-101', '--number', ALLOWED]);
    t.match(explained, { status: 0 }, 'a list takes it off');
    const still = await balise(['explain', '--site', call.siteFolder, '--handset', 'a-101', '--number', OTHER]);
    t.match(still, { status: 1, stdout: /dnc.listed/ }, 'the other stays on');

    for (const number of [ALLOWED, OTHER]) {
      t.notMatch(readFileSync(join(call.siteFolder, 'gateway.log'), 'utf8'), number.slice(1), 'no log has it');
      t.notMatch(
        JSON.stringify([headquarters.events, headquarters.states]),
        number.slice(1),
        'nor what headquarters was told',
      );
    }
    t.same(headquarters.faults, []);
  },
);
