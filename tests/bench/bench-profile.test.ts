import t from 'tap';
import { believesInvites } from '../../gateway/bench-profile.js';
import { StartFault } from '../../gateway/supervisor/run-folder.js';

const sip = (cell: string, carrier: string) => ({ cell: { address: cell }, carrier: { address: carrier } });
const SET = { BALISE_BENCH_NO_CHALLENGE: '1' };

t.test('every INVITE is challenged where nothing in the environment says otherwise', async (t) => {
  for (const environment of [{}, { BALISE_BENCH_NO_CHALLENGE: '' }, { BALISE_BENCH_NO_CHALLENGE: '0' }])
    t.equal(believesInvites(environment, sip('10.0.0.1', '192.0.2.1')), false);
});

t.test('INVITEs are believed where this machine alone can send them', async (t) => {
  t.equal(believesInvites(SET, sip('127.0.0.1', '127.0.0.2')), true);
  t.equal(believesInvites(SET, sip('::1', '::1')), true);
});

t.test('a gateway that others can reach does not start without the challenge', async (t) => {
  for (const [cell, carrier, said] of [
    ['10.20.0.1', '127.0.0.1', '/sip/cell/address 10.20.0.1'],
    ['127.0.0.1', '192.0.2.7', '/sip/carrier/address 192.0.2.7'],
    ['0.0.0.0', '127.0.0.1', '0.0.0.0'],
    ['::', '127.0.0.1', '/sip/cell/address ::'],
    ['127.example', '127.0.0.1', '127.example'],
  ] as const) {
    const start = () => believesInvites(SET, sip(cell, carrier));
    try {
      start();
      t.fail(`${cell} and ${carrier} are believed`);
    } catch (fault) {
      t.ok(fault instanceof StartFault);
      t.match(fault, { exitCode: 78, message: said });
    }
  }
});
