/** The commands that speak with a running gateway, against the whole program. */
import { spawnSync } from 'node:child_process';
import t from 'tap';
import type { StatusView } from '../../gateway/console/api/site.js';
import { People } from '../../gateway/console/people.js';
import { AuditReader } from '../../gateway/store/audit.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { handset, makeSite } from '../peers/site.js';
import { PseudoTerminal } from './pseudo-terminal.js';
import { balise, beginBalise } from './terminal.js';

const PASSWORD = 'a wholly new password';
const CTRL_C = '\u0003';
const needsScript = { skip: spawnSync('script', ['--version']).status === 0 ? false : 'util-linux has no script here' };

t.test('status, calls, cut, release, why and tail speak with the gateway that runs', async (t) => {
  const folder = makeSite(t, 9, { handsets: [handset('a-101'), handset('a-102')] });
  const at = ['--site', folder];
  t.match(await balise(['status', ...at]), { status: 69, stderr: /runs on this machine: start it/ });
  const running = await GatewayProcess.start(t, folder);

  t.match(await balise(['status', ...at]), { status: 0, stdout: /handsets +2, 0 registered, 0 off hook/ });
  const view = JSON.parse((await balise(['status', ...at, '--json'])).stdout) as StatusView;
  t.match(view, { site: 'test', troubles: [] });
  t.match(await balise(['calls', ...at]), { status: 0, stdout: 'no call is up\n' });
  t.match(await balise(['calls', '--history', ...at]), { status: 0, stdout: 'no such call\n' });
  t.same(JSON.parse((await balise(['calls', '--history', '--outcome', 'refused', '--json', ...at])).stdout), {
    calls: [],
  });
  t.match(await balise(['calls', '--history', '--from', 'yesterday', ...at]), {
    status: 1,
    stderr: /querystring\/from/,
  });

  const tail = beginBalise(['tail', '--json', '--only', 'handset', '--handset', 'a-102', ...at]);
  await tail.wrote('listening');
  const cut = await balise(['cut', 'handset', 'a-102', '--reason', 'a test', '--hold', 'until-released', ...at]);
  t.match(cut, { status: 0, stdout: 'a-102: 0 calls ended, held until released\n' });
  await tail.wrote('"cut":');
  t.match(await balise(['cut', 'site', '--reason', 'a drill', ...at]), {
    stdout: 'the site: 0 calls ended, held for 10 s\n',
  });
  t.match(await balise(['status', ...at]), { status: 1, stdout: /TROUBLE +the whole site is cut: a drill/ });
  t.match(await balise(['release', 'site', ...at]), { status: 0 });
  t.match(await balise(['release', 'handset', 'a-102', ...at]), { status: 0, stdout: /a-102: released/ });
  t.match(await balise(['release', 'wing', 'z', ...at]), { status: 1, stderr: /no wing z/ });
  t.match(await balise(['why', 'no-such-call', ...at]), {
    status: 1,
    stderr: /no call no-such-call is up or on record/,
  });

  await running.end();
  const { status, stdout, stderr } = await tail.ended;
  t.equal(status, 0);
  t.match(stderr, /listening\nthe gateway has stopped\n$/);
  const told = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; data: { handset: string; cut?: object } });
  t.ok(
    told.some(({ data }) => data.cut !== undefined),
    'the cut was told',
  );
  t.ok(told.every(({ name, data }) => name === 'handset' && data.handset === 'a-102'));
});

t.test('what they are told wrongly is said before anything is asked', async (t) => {
  for (const [args, why] of [
    [['cut', '--site', '/x'], /handset <id>, wing <id> or site\?/],
    [['cut', 'handset', '--site', '/x'], /the handset is missing/],
    [['cut', 'site', 'now', '--reason', 'x', '--site', '/x'], /one target at a time/],
    [['cut', 'site', '--site', '/x'], /--reason is missing/],
    [['cut', 'site', '--reason', 'x', '--hold', '1.5', '--site', '/x'], /--hold: expected/],
    [['why', '--site', '/x'], /which call\?/],
    [['tail', '--only', 'rain', '--site', '/x'], /no kind "rain"/],
    [['calls', '--outcome', 'refused', '--site', '/x'], /filters are for --history/],
    [['staff', 'promote', '--site', '/x'], /list, add, passwd/],
  ] as [string[], RegExp][]) {
    t.match(await balise(args), { status: 64, stderr: why }, args.join(' '));
  }
  t.match(await balise(['status', '--site', '/nowhere']), { status: 78, stderr: /nowhere/ });
});

t.test(
  'people are added, changed and removed on the files and at a running gateway, and the chain has it',
  async (t) => {
    const folder = makeSite(t, 9);
    const at = ['--site', folder];
    const data = `${folder}/data`;
    t.match(await balise(['staff', 'list', ...at]), { stdout: /nobody may log in yet: balise staff add/ });
    t.match(await balise(['people', 'list', ...at]), { status: 0, stdout: /nobody/ }, 'the name of before works');
    t.match(await balise(['people', '--help']), {
      stdout: /balise people, the name of before, does the same as balise staff/,
    });
    t.match(await balise(['staff', 'add', 'anna', '--role', 'king', ...at]), {
      status: 64,
      stderr: /--role is one of/,
    });
    t.match(await balise(['staff', 'add', 'anna', '--role', 'auditor', ...at], 'short\n'), {
      status: 64,
      stderr: /12/,
    });
    t.match(await balise(['staff', 'add', 'anna', '--role', 'administrator', ...at], `${PASSWORD}\n`), { status: 0 });
    t.match(People.open(data).list(), [{ name: 'anna', role: 'administrator' }]);
    t.match(await balise(['staff', 'remove', 'anna', ...at]), { status: 64, stderr: /last administrator/ });

    const running = await GatewayProcess.start(t, folder);
    t.notOk(
      running.lines.some(({ event }) => event === 'console.first-link'),
      'there is somebody: no link is printed',
    );
    t.match(await balise(['staff', 'add', 'bert', '--role', 'technician', ...at], `${PASSWORD}\n`), { status: 0 });
    const logIn = () =>
      fetch(`http://127.0.0.1:${running.port('console')}/api/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'bert', password: PASSWORD }),
      });
    t.equal((await logIn()).status, 200);
    t.match(await balise(['staff', 'disable', 'bert', ...at]), { status: 0, stdout: /may log in no more/ });
    t.equal((await logIn()).status, 401);
    t.match(await balise(['staff', 'list', ...at]), { stdout: /bert +technician +en +disabled/ });
    t.match(await balise(['staff', 'remove', 'anna', ...at]), { status: 1, stderr: /last administrator/ });
    await running.end();
    t.match(await balise(['staff', 'remove', 'bert', ...at]), { status: 0 });

    const reader = new AuditReader(data);
    const changes = [...reader.bodies()]
      .map((body) => JSON.parse(body) as { type: string; data: { what: string; subject: string; from: string } })
      .filter(({ type }) => type === 'balise.console.changed')
      .map(({ data: { what, subject, from } }) => `${what} ${subject} ${from}`);
    reader.close();
    t.same(changes, [
      'person.added anna files',
      'person.added bert socket',
      'person.changed bert socket',
      'person.removed bert files',
    ]);
  },
);

t.test('at a terminal the table of calls is drawn anew, and Ctrl-C ends it', needsScript, async (t) => {
  const folder = makeSite(t, 9);
  await GatewayProcess.start(t, folder);
  const terminal = new PseudoTerminal(t, ['calls', '--site', folder]);
  // To the corner, and all below is erased: each second anew.
  await terminal.shows('\u001b[H\u001b[Jtest/gw-1  clock trusted\r\n\r\nno call is up', 2);
  terminal.type(CTRL_C);
  t.not(await terminal.exited, 0);
});

t.test('at a terminal a password is asked for and not shown', needsScript, async (t) => {
  const folder = makeSite(t, 9);
  const terminal = new PseudoTerminal(t, ['staff', 'add', 'anna', '--role', 'auditor', '--site', folder]);
  await terminal.shows('password of anna: ');
  terminal.type(`${PASSWORD}\r`);
  t.equal(await terminal.exited, 0);
  t.notMatch(terminal.text, /wholly/);
  t.match(People.open(`${folder}/data`).list(), [{ name: 'anna', role: 'auditor' }]);
});
