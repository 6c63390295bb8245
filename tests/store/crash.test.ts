import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Sqlite from 'better-sqlite3';
import t from 'tap';
import { aFolder, aStore } from './folder.js';

const WRITER = join(import.meta.dirname, 'fixtures', 'writer.js');
const ROUNDS = 36;
/** Calls of one round never meet those of another. */
const APART = 1_000_000;

interface Said {
  readonly opened: Set<string>;
  readonly committed: Set<string>;
  readonly recorded: Set<string>;
}

/** One life of the writer. Half of the time it dies by its own hand within a transaction, else by ours after some lines. */
async function live(folder: string, round: number, said: Said): Promise<void> {
  const byItself = round % 2 === 0;
  const dieAt = 1 + Math.floor(Math.random() * 120);
  const args = [WRITER, folder, String(round * APART + 1), byItself ? String(dieAt) : '0'];
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let lines = 0;
  createInterface({ input: writer.stdout }).on('line', (line) => {
    const [word, call = ''] = line.split(' ');
    said[word as keyof Said]?.add(call);
    lines += 1;
    if (!byItself && lines === dieAt) writer.kill('SIGKILL');
  });
  const [code, signal] = await once(writer, 'close');
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself with status ${code}`);
}

t.test(
  'a process killed at any point loses nothing that it was told is written, and writes nothing twice',
  async (t) => {
    const folder = aFolder(t);
    const said: Said = { opened: new Set(), committed: new Set(), recorded: new Set() };
    for (let round = 1; round <= ROUNDS; round += 1) {
      await live(folder, round, said);
      const store = aStore(t, { folder });
      const open = new Map(store.calls.openCalls().map((call) => [call.request.call as string, call]));
      const db = new Sqlite(join(folder, 'balise.sqlite'), { readonly: true });
      const ledger = db.prepare('SELECT call FROM ledger').pluck().all() as string[];
      const events = (db.prepare('SELECT body FROM event ORDER BY sequence').pluck().all() as string[]).map(
        (body) => JSON.parse(body) as { sequence: number; kind: string; data: { call: string } },
      );
      db.close();
      const inLedger = new Set(ledger);
      const ends = events.filter(({ kind }) => kind === 'event').map(({ data }) => data.call);
      const faults = [
        ...[...said.opened].filter((call) => !open.has(call) && !inLedger.has(call)).map((call) => `${call} forgotten`),
        ...[...said.committed]
          .filter((call) => !inLedger.has(call) && open.get(call)?.deadline?.monotonicNs !== 9_007_199_254_740_993n)
          .map((call) => `${call}: its deadline is lost`),
        ...[...said.recorded].filter((call) => !inLedger.has(call)).map((call) => `${call}: its record is lost`),
        ...[...open.keys()].filter((call) => inLedger.has(call)).map((call) => `${call} is open and recorded`),
        ...(inLedger.size === ledger.length ? [] : ['a call is in the ledger twice']),
        ...(new Set(ends).size === ends.length ? [] : ['a call was reported twice']),
        ...(ends.length === ledger.length ? [] : [`${ledger.length} records and ${ends.length} reports`]),
        ...events.filter(({ sequence }, index) => sequence !== index + 1).map(({ sequence }) => `gap at ${sequence}`),
      ];
      t.same(faults, [], `round ${round}: ${ledger.length} records, ${open.size} open, ${events.length} events`);
      t.same(store.verifyChain(), { whole: true, from: 1, to: events.length });
      store.close();
    }
    t.ok(said.committed.size > ROUNDS, `${said.committed.size} deadlines were committed`);
  },
);
