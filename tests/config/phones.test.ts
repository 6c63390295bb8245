import t, { type Test } from 'tap';
import { type Json, SiteFolder } from './site-folder.js';

const MAC = 'c074ad000201';

async function faultsOf(t: Test, handsets: (all: Json) => void, site: (site: Json) => void = () => undefined) {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  await folder.edit('handsets', handsets);
  await folder.edit('site', site);
  return folder.faults();
}

t.test('two handsets on two ports of one adapter, and a place to fetch from, are without fault', async (t) => {
  const faults = await faultsOf(
    t,
    (all) => {
      all[0].phone = { model: 'HT814', mac: MAC };
      all[1].phone = { model: 'HT814', mac: MAC, port: 4 };
    },
    (site) => {
      site.provisioning = { port: 8443, http: true };
    },
  );
  t.same(faults, []);
});

t.test('a model that there is not, a port that it has not, two models on one address, one port twice', async (t) => {
  const faults = await faultsOf(t, (all) => {
    all[0].phone = { model: 'HT812', mac: MAC, port: 3 };
    all[1].phone = { model: 'GXP2171', mac: 'c074ad000202' };
    all[2].phone = { model: 'HT814', mac: MAC };
    all[3].phone = { model: 'HT812', mac: MAC, port: 3 };
  });
  t.match(faults, [
    { pointer: '/0/phone/port', found: '3', expected: /of a HT812, a port from 1 to 2/ },
    { pointer: '/1/phone/model', hint: /did you mean "GXP2170"/ },
    { pointer: '/2/phone/model', expected: `HT812, as another handset on ${MAC} says` },
    { pointer: '/3/phone/port', expected: /of a HT812/ },
    { pointer: '/3/phone/port', expected: /handset "a-101" has it/ },
  ]);
});

t.test(
  'configuration is served with a certificate, or in clear by the site’s own word, and never by chance',
  async (t) => {
    const with_ = (provisioning: Json) =>
      faultsOf(
        t,
        () => undefined,
        (site) => {
          site.provisioning = provisioning;
        },
      );
    t.match(await with_({ port: 8443 }), [
      { pointer: '/provisioning/tls', hint: /or "http": true, and whoever listens/ },
    ]);
    const tls = { cert: 'no.pem', key: 'no.key' };
    t.match(await with_({ port: 8443, tls }), [
      { pointer: '/provisioning/tls/cert' },
      { pointer: '/provisioning/tls/key' },
    ]);
    t.match(await with_({ port: 8443, http: true, tls }), [{ pointer: '/provisioning/http' }, {}, {}]);
    const everywhere = await faultsOf(
      t,
      () => undefined,
      (site) => {
        site.sip.cell = { address: '0.0.0.0', port: 5060 };
        site.provisioning = { port: 5060, http: true };
      },
    );
    t.match(everywhere, [
      { pointer: '/provisioning/host' },
      { pointer: '/provisioning/port', expected: /SIP server for the cells/ },
    ]);
  },
);
