/** Handsets that are changed at the console of a running gateway: from the form to the files, the phone and the audit chain. */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { HandsetEdited } from '../../gateway/console/api/handset-edits.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { boardPeer } from '../peers/board-peer.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { handset, makeSite } from '../peers/site.js';

type Body = Record<string, unknown>;

/** A site with a board, asked by the local socket. */
async function open(t: Test) {
  const board = await boardPeer(t);
  const site = makeSite(t, await freePort(), {
    site: { provisioning: { port: 0, http: true } },
    boards: board.boards,
    handsets: [handset('a-101', { line: { board: 'b1', relay: 0, hook: 0 } })],
  });
  const running = await GatewayProcess.start(t, site);
  const socketPath = join(site, 'data', 'run', 'console.sock');
  const fetched = (
    where: object,
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; text: string }> =>
    new Promise((settle, fail) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const outgoing = request({ ...where, method, path, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => settle({ status: response.statusCode ?? 0, text }));
      });
      outgoing.on('error', fail);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const ask = async (method: string, path: string, body?: object): Promise<{ status: number; body: Body }> => {
    const { status, text } = await fetched({ socketPath }, method, path, body);
    return { status, body: JSON.parse(text) as Body };
  };
  const file = () => JSON.parse(readFileSync(join(site, 'handsets.json'), 'utf8')) as Body[];
  return { board, running, ask, fetched, file };
}

const { board, ask, fetched, file } = await open(t);

t.test('a handset is added, wired, provisioned, replaced, disabled and removed at the console', async (t) => {
  t.match(await ask('GET', '/api/models'), { status: 200, body: { models: [{ model: /\S/, handsets: Number }] } });

  const added = await ask('POST', '/api/handsets', {
    id: 'a-104',
    ...{ wing: 'a', profile: 'test', phone: { model: 'HT814', mac: 'C0:74:AD:00:02:01' } },
  });
  t.match(added, { status: 201, body: { handset: 'a-104', changes: [{ handset: 'a-104', what: 'added' }] } });
  const [armed] = (added.body as unknown as HandsetEdited).armed;
  if (armed === undefined || 'sheet' in armed) throw new Error('no URL came back');
  t.match(armed, { mac: 'c074ad000201', file: 'cfgc074ad000201.xml', where: /\S/ });
  const url = new URL(`${armed.url}${armed.file}`);
  t.match(await fetched({ host: url.hostname, port: url.port }, 'GET', url.pathname), { status: 200, text: /<P/ });
  t.notMatch(JSON.stringify(file()), armed.token, 'the token is shown once, and is in no file of the site');

  t.match(await ask('PUT', '/api/handsets/a-104', { line: { board: 'b1', channel: 3, hook: 3 } }), {
    status: 200,
    body: { changes: [{ what: 'changed', fields: ['line'] }], armed: [] },
  });
  await board.relayIs(3, true);
  t.match(await ask('PUT', '/api/handsets/a-104', { line: null }), { status: 200 });
  await board.relayIs(3, false);
  t.notOk('line' in (file()[1] ?? {}));

  const again = await ask('POST', '/api/handsets/a-104/provision');
  t.match(again, { status: 200, body: { armed: [{ token: armed.token }] } }, 'armed again, the phone knows no other');
  const other = await ask('POST', '/api/handsets/a-104/replace', { mac: 'c074ad000202' });
  t.match(other, { status: 200, body: { armed: [{ mac: 'c074ad000202', model: 'HT814' }] } });
  t.equal(
    (await fetched({ host: url.hostname, port: url.port }, 'GET', url.pathname)).status,
    404,
    'the old one is out',
  );

  t.match(await ask('POST', '/api/handsets/a-104/disable', { reason: 'a broken cord' }), { status: 200 });
  t.match(await ask('GET', '/api/handsets/a-104'), { body: { view: { disabled: true } } });
  t.match(await ask('DELETE', '/api/handsets/a-104?reason=the+cell+is+closed'), { status: 200 });
  t.equal((await ask('GET', '/api/handsets/a-104')).status, 404);

  const { body } = await ask('GET', '/api/audit?limit=50');
  const events = (body.events as { type: string; data: Body }[]).filter(
    ({ type }) => type === 'balise.handset.changed',
  );
  t.match(events[0]?.data, {
    ...{ by: /^console:unix:\S+ \(local, socket\)$/, command: 'handset remove a-104', reason: 'the cell is closed' },
    ...{ handset: 'a-104', what: 'removed', before: { wing: 'a', ha1: /^sha256:/ } },
  });
  t.match(events[1]?.data, { reason: 'a broken cord', before: { enabled: true }, after: { enabled: false } });
});

t.test('what would make the site be at fault is refused with its place, and nothing is written', async (t) => {
  const before = file();
  t.match(await ask('PUT', '/api/handsets/a-101', { wing: 'z', line: { board: 'b9', channel: 0, hook: 0 } }), {
    status: 422,
    body: {
      code: 'site.faults',
      faults: [
        { file: 'handsets.json', pointer: '/0/wing', hint: /\S/ },
        { file: 'handsets.json', pointer: '/0/line/board' },
      ],
    },
  });
  const wired = { id: 'a-102', wing: 'a', profile: 'test', line: { board: 'b1', channel: 0, hook: 1 } };
  t.match(await ask('POST', '/api/handsets', wired), { status: 422, body: { faults: [{ pointer: /line/ }] } });
  const taken = { id: 'a-101', wing: 'a', profile: 'test' };
  t.match(await ask('POST', '/api/handsets', taken), { status: 409, body: { code: 'handset.taken' } });
  t.match(await ask('POST', '/api/handsets/a-101/provision', {}), { status: 409, body: { code: 'handset.no-phone' } });
  const mac = await ask('POST', '/api/handsets/a-101/replace', { model: 'HT814', mac: 'not an address' });
  t.match(mac, { status: 400, body: { code: 'form', error: /12 hexadecimal digits/ } });
  t.match(await ask('POST', '/api/handsets/a-101/disable', {}), { status: 400, body: { error: /reason/ } });
  t.match(await ask('DELETE', '/api/handsets/a-999'), {
    status: 404,
    body: { code: 'handset.unknown' },
  });
  t.same(file(), before);
});
