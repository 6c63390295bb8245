/**
 * The gateway's store and uplink as a process of their own, killed with SIGKILL at random moments, with a real mosquitto.
 * `BALISE_KILLS=200` makes it 200 rounds.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { AuditReader } from '../../gateway/store/audit.js';
import { ChainWalk } from '../../gateway/store/chain.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { aDatabase, anIngester, clock, held, until, upTo } from '../headquarters/world.js';
import { aFolder } from '../store/folder.js';
import { aBroker, GATEWAY, needsMosquitto } from './world.js';

const FIXTURE = join(import.meta.dirname, 'fixtures', 'gateway.js');
const KILLS = Number(process.env.BALISE_KILLS ?? 8);
/** A life from the process's start to its death is at most this long, milliseconds; from nothing to well into traffic. */
const LONGEST_MS = 1_500;

t.test(
  `a gateway killed ${KILLS} times at any moment: headquarters has each number once and in order, and the chain is whole`,
  { ...needsMosquitto, timeout: 60_000 + KILLS * 6_000 },
  async (t) => {
    const broker = await aBroker(t);
    const db = await aDatabase(t);
    const folder = aFolder(t);
    const { privateJwk, publicJwk } = await newSigningKey('hq-1');
    let duplicates = 0;
    await anIngester(t, {
      url: broker.url,
      db,
      key: privateJwk,
      onStored: (_, again) => {
        duplicates += again;
      },
    });
    const args = [FIXTURE, folder, broker.url, JSON.stringify([publicJwk])];
    let early = 0;
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const gateway = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      t.teardown(() => gateway.kill('SIGKILL'));
      const gone = once(gateway, 'exit');
      // A quarter dies before it is well up, in migrations and first writes; the others in traffic.
      const isEarly = kill % 4 === 0;
      early += Number(isEarly);
      if (!isEarly) await once(gateway.stdout, 'data');
      await new Promise<void>((settle) => clock.after(Math.random() * LONGEST_MS, settle));
      gateway.kill('SIGKILL');
      await gone;
    }
    // The last life goes on until everything has left.
    const last = spawn(process.execPath, [...args, 'quiet'], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => last.kill('SIGKILL'));
    const [line] = (await once(last.stdout, 'data')) as [Buffer];
    const written = Number(/written (\d+)/.exec(line.toString())?.[1]);
    await until(async () => (await held(db, GATEWAY)).length >= written);
    t.same(await held(db, GATEWAY), upTo(written));
    t.ok(written > KILLS * 10, `${written} events, ${duplicates} came twice and were dropped, ${early} early deaths`);
    const gone = once(last, 'exit');
    last.kill('SIGKILL');
    await gone;
    const reader = new AuditReader(folder);
    const walk = new ChainWalk(reader.before());
    for (const body of reader.bodies()) walk.take(body);
    reader.close();
    t.same(walk.report(), { whole: true, from: 1, to: written });
    const kept = await db.all<{ body: string }>('SELECT body FROM event WHERE gateway = $1 ORDER BY sequence', [
      GATEWAY,
    ]);
    const theirs = new ChainWalk({ sequence: 0, hash: '0'.repeat(64) });
    for (const { body } of kept) theirs.take(body);
    t.same(theirs.report(), { whole: true, from: 1, to: written }, 'and so is what headquarters holds');
  },
);
