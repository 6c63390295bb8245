import t from 'tap';
import { mismatches } from '../../gateway/provisioning/read-back.js';
import { templateOf } from './sample.js';

const seen = (userAgent: string, address = '10.20.0.7') => ({ handset: 'a-101', address, userAgent });
const as = (model: string, fetchedFrom?: string) => ({
  template: templateOf(model),
  model,
  mac: 'c074ad000201',
  ...(fetchedFrom === undefined ? {} : { fetchedFrom }),
});

t.test('a phone that says what it was provisioned as fits, however it writes its address', async (t) => {
  for (const [model, agent] of [
    ['T54W', 'Yealink SIP-T54W 96.86.0.15 c074ad000201'],
    ['T54W', 'Yealink SIP-T54W 96.86.0.15 C0:74:AD:00:02:01'],
    ['HT814', 'Grandstream HT814 1.0.33.4 c074ad000201'],
    ['GXP2170', 'Grandstream GXP2170 1.0.11.64'],
    ['snomD785', 'snomD785/10.1.64.14'],
    ['X4U', 'Fanvil X4U 2.4.1.0 c0-74-ad-00-02-01'],
    ['generic', 'anything at all'],
    ['generic', ''],
  ] as const) {
    t.same(mismatches(seen(agent), as(model, '10.20.0.7')), [], `${model}: ${agent}`);
  }
});

t.test('another make, another address, none where there would be one, or another place is told in words', async (t) => {
  t.match(mismatches(seen('MicroSIP/3.21.3'), as('T54W')), [/says that it is "MicroSIP\/3.21.3", and a Yealink T54W/]);
  t.match(mismatches(seen(''), as('HT814')), [/says that it is ""/]);
  t.match(mismatches(seen('Yealink SIP-T54W 96.86.0.15 805ec0000001'), as('T54W')), [
    /the address 805ec0000001, and c074ad000201/,
  ]);
  t.match(mismatches(seen('Yealink SIP-T54W 96.86.0.15'), as('T54W')), [
    /no MAC address, and with its configuration it would/,
  ]);
  t.match(mismatches(seen('snomD785/10.1', '10.20.0.8'), as('snomD785', '10.20.0.7')), [
    /from 10.20.0.8, and 10.20.0.7 fetched/,
  ]);
});
