/** What each maker's devices are served, read back as the device would read it. */
import fc from 'fast-check';
import t from 'tap';
import { enrolPlace, render } from '../../gateway/provisioning/render.js';
import { readTemplates } from '../../gateway/provisioning/templates.js';
import { SITE, sample, templateOf } from './sample.js';

const templates = readTemplates();

/** P-values of a Grandstream file by their names. */
function pValues(body: string): Map<string, string> {
  return new Map([...body.matchAll(/<(P[0-9]+)>([^<]*)<\/\1>/g)].map(([, name = '', value = '']) => [name, value]));
}

/** `name = value` of a Yealink file. */
function yealinkValues(body: string): Map<string, string> {
  return new Map(
    body.split('\n').flatMap((line) => {
      const [, name, value = ''] = /^(\S+) = (.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value] as const];
    }),
  );
}

t.test('every template says what each of its settings locks, and names nothing twice', async (t) => {
  t.ok(templates.size > 40);
  for (const template of new Set(templates.values())) {
    const names = [...template.settings.filter(({ repeat }) => repeat !== true), ...template.ports].map((one) => {
      const { name, module = '' } = one as { name?: string; module?: string };
      return `${module} ${name ?? JSON.stringify(one)}`;
    });
    t.equal(new Set(names).size, names.length, `${template.family}: a setting twice`);
    for (const { locks } of [...template.settings, ...template.ports]) t.match(locks, /^.{3,}[.,]$/);
  }
});

t.test('every model of every family is written whole, whichever of its ports carry a handset', async (t) => {
  for (const [model, template] of templates) {
    const most = template.models[model] ?? 0;
    for (const ports of [[1], [most], Array.from({ length: Math.min(most, 9) }, (_, at) => at + 1)]) {
      const { device, enrolment } = sample(model, ports);
      const { body } = render(template, device, enrolment, SITE);
      t.notMatch(body.replace('{ x+ | \\+x+ }', ''), /\{[A-Za-z]+\}|undefined/, `${model}: a placeholder is left`);
      for (const { handset } of device.ports) {
        t.ok(body.includes(handset.user), `${model} has the user of port ${handset.phone?.port}`);
        t.ok(body.includes(enrolment.secrets[handset.id] ?? '-'), `${model} has its secret`);
      }
    }
  }
});

t.test('what is to be set by hand says HTTPS, and HTTP where the site serves it so', async (t) => {
  const mac = 'c074ad000201';
  for (const template of new Set(templates.values())) {
    for (const isHttps of [true, false]) {
      const where = enrolPlace(template, mac, { isHttps });
      t.notMatch(where, /[{}]/, `${template.family}: a placeholder is left`);
      if (!isHttps) t.notMatch(where, /https/i, template.family);
    }
  }
  t.match(enrolPlace(templateOf('HT801'), mac, { isHttps: true }), 'without the https://; Config Upgrade via HTTPS');
  t.match(enrolPlace(templateOf('HT801'), mac, { isHttps: false }), 'without the http://; Config Upgrade via HTTP');
});

t.test('each family is asked for by the file name that its maker documents', async (t) => {
  const name = (model: string) => render(templateOf(model), ...parts(model)).file;
  const parts = (model: string) => {
    const { device, enrolment } = sample(model, [1]);
    return [device, enrolment, SITE] as const;
  };
  for (const model of ['GXP2170', 'HT801', 'HT814', 'GXW4224']) t.equal(name(model), 'cfgc074ad000201.xml');
  t.equal(name('T54W'), 'c074ad000201.cfg');
  t.equal(name('snomD785'), 'snomD785-C074AD000201.htm');
  t.equal(name('X4U'), 'c074ad000201.cfg');
  t.equal(name('generic'), '');
});

t.test('a Grandstream phone knows its own file, talks to the gateway alone and does nothing else', async (t) => {
  const { device, enrolment } = sample('GXP2170', [1]);
  const { body, type } = render(templateOf('GXP2170'), device, enrolment, SITE);
  t.match(type, 'text/xml');
  t.match(body, '<mac>c074ad000201</mac>');
  const p = pValues(body);
  const expected = {
    ...{ P47: '10.20.0.1:5062', P48: '10.20.0.1:5062', P35: 'a101', P36: 'a101', P34: enrolment.secrets['a-101'] },
    ...{
      P2: 'Admin2Secret',
      P30: '10.20.0.9',
      P64: 'CET-1CEST,M3.5.0,M10.5.0/3',
      P212: '2',
      P237: '10.20.0.1:8443/p/token-of-c074ad000201',
    },
    ...{
      P91: '1',
      P1311: '1',
      P1341: '1',
      P191: '0',
      P182: '2',
      P330: '0',
      P238: '2',
      P194: '0',
      P2302: '1',
      P2303: '0',
      P1310: '1',
    },
    ...{ P57: '8', P58: '9', P59: '8', P98: '9' },
  };
  for (const [name, value] of Object.entries(expected)) t.equal(p.get(name), value, name);
});

t.test('an adapter carries several handsets in one file, and its other ports are off', async (t) => {
  const { device, enrolment } = sample('HT814', [1, 3]);
  const p = pValues(render(templateOf('HT814'), device, enrolment, SITE).body);
  t.same(
    ['P4060', 'P4061', 'P4062', 'P4063'].map((name) => p.get(name)),
    ['a101', '', 'a103', ''],
  );
  t.same(
    ['P4595', 'P4596', 'P4597', 'P4598'].map((name) => p.get(name)),
    ['1', '0', '1', '0'],
  );
  t.equal(p.get('P4120'), enrolment.secrets['a-101']);
  t.equal(p.get('P4122'), enrolment.secrets['a-103']);
  t.equal(p.get('P4424'), '0', 'hook flash opens no second call');
  const two = sample('HT802', [2]);
  const q = pValues(render(templateOf('HT802'), two.device, two.enrolment, SITE).body);
  t.same([q.get('P271'), q.get('P401'), q.get('P735'), q.get('P34')], ['0', '1', 'a102', '']);
  t.equal(q.get('P734'), two.enrolment.secrets['a-102']);
});

t.test('the last port of the largest adapter has the P-values of its number', async (t) => {
  const { device, enrolment } = sample('GXW4224', [24]);
  const p = pValues(render(templateOf('GXW4224'), device, enrolment, SITE).body);
  t.equal(p.get('P4083'), 'a1024');
  t.equal(p.get('P4143'), enrolment.secrets['a-1024']);
  t.equal(p.get('P4618'), '1');
  t.notOk(p.has('P4084'), 'no setting spills into the next field');
});

t.test('a Yealink phone is locked down by name, and every codec that is not the site’s is off', async (t) => {
  const { device, enrolment } = sample('T54W', [1]);
  const { body } = render(templateOf('T54W'), device, enrolment, SITE);
  t.match(body, /^#!version:1\.0\.0\.1\n/);
  const y = yealinkValues(body);
  for (const [name, value] of Object.entries({
    'account.1.sip_server.1.address': '10.20.0.1',
    'account.1.sip_server.1.port': '5062',
    'account.1.password': enrolment.secrets['a-101'],
    'account.1.codec.pcma.enable': '1',
    'account.1.codec.pcma.priority': '1',
    'account.1.codec.g722.priority': '2',
    'account.1.codec.pcmu.enable': '0',
    'account.1.codec.g729.enable': '0',
    'account.1.dtmf.type': '1',
    'features.fwd.allow': '0',
    'call_waiting.enable': '0',
    'static.firmware.url': '',
    'static.wui.https_enable': '0',
    'sip.mac_in_ua': '1',
    'static.auto_provision.server.url': 'https://10.20.0.1:8443/p/token-of-c074ad000201/',
    'local_time.time_zone': '+2',
  })) {
    t.equal(y.get(name), value, name);
  }
  t.same(
    [...body.matchAll(/^static\.security\.user_password = (.*)$/gm)].map(([, value]) => value),
    ['admin:Admin2Secret', 'user:User3Secret'],
  );
});

t.test('a Snom phone may change none of it', async (t) => {
  const { device, enrolment } = sample('snomD785', [1]);
  const { body } = render(templateOf('snomD785'), device, enrolment, SITE);
  t.match(body, '<user_pass idx="1" perm="R">');
  t.match(body, '<codec_priority_list idx="1" perm="R">pcma,g722,telephone-event</codec_priority_list>');
  t.match(body, '<webserver_type perm="R">off</webserver_type>');
  t.notMatch(body, /perm="(RW|!|\$)?"/);
});

t.test('a Fanvil file has the frame that the phone insists on, and a later arming a greater version', async (t) => {
  const { device, enrolment } = sample('X4U', [1]);
  const at = (armedUntilMs: number) => render(templateOf('X4U'), device, { ...enrolment, armedUntilMs }, SITE).body;
  const [first = ''] = at(1_800_000_000_000).split('\r\n');
  t.equal(first.length + 2, 64);
  t.match(first, /^<<VOIP CONFIG FILE>>Version:2\.1800000000 +$/);
  t.ok(at(1_800_000_100_000).split('\r\n')[0] ?? '' > first);
  const body = at(1_800_000_000_000);
  t.match(body, /<<END OF FILE>>\r\n$/);
  t.notMatch(body.replaceAll('\r\n', ''), /[\r\n]/);
  t.match(body, /<SIP CONFIG MODULE>\r\n[^<]*SIP1 VoiceCodecMap +:PCMA,G722\r\n/);
  t.match(body, /P1 CallTransfer +:0\r\n/);
});

t.test('what a template is filled with cannot break out of its place', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(fc.constantFrom('GXP2170', 'snomD785'), text, (model, odd) => {
      const { device, enrolment } = sample(model, [1]);
      const odder = { ...enrolment, adminPassword: odd, secrets: { 'a-101': odd } };
      let body: string;
      try {
        ({ body } = render(templateOf(model), device, odder, SITE));
      } catch (fault) {
        return /line break/.test((fault as Error).message) && /[\r\n]/.test(odd);
      }
      const plain = render(templateOf(model), device, enrolment, SITE).body;
      const tags = (xml: string) => [...xml.matchAll(/<\/?[A-Za-z0-9_?]+/g)].map(([tag]) => tag);
      return JSON.stringify(tags(body)) === JSON.stringify(tags(plain));
    }),
  );
});

t.test('a handset without a secret is a fault of the program, and never an empty password', async (t) => {
  const { device, enrolment } = sample('T54W', [1]);
  t.throws(() => render(templateOf('T54W'), device, { ...enrolment, secrets: {} }, SITE), /no secret for a-101/);
});
