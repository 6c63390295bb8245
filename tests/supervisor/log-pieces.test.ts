import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import pino from 'pino';
import t from 'tap';
import { LogPieces } from '../../gateway/log-pieces.js';
import { aFolder } from '../store/folder.js';

const flushed = (pieces: { flush(done: (fault?: Error) => void): void }): Promise<void> =>
  new Promise((resolve, reject) =>
    pieces.flush((fault) => (fault === undefined || fault === null ? resolve() : reject(fault))),
  );

t.test('lines that come together are one write, and a line does not wait for others for long', async (t) => {
  const writes: string[] = [];
  let wrote: () => void = () => undefined;
  const pieces = new LogPieces({
    write: (text) => {
      writes.push(text);
      wrote();
    },
    flush: (done) => done?.(),
    flushSync: () => undefined,
  });
  const written = new Promise<void>((resolve) => {
    wrote = resolve;
  });
  pieces.write('1\n');
  pieces.write('2\n');
  t.same(writes, []);
  await written;
  t.same(writes, ['1\n2\n']);
  pieces.write(`${'x'.repeat(9_000)}\n`);
  t.equal(writes.length, 2, 'much at once goes at once');
  pieces.write('3\n');
  pieces.flushSync();
  t.equal(writes.at(-1), '3\n', 'and before a process that will not live on');
  await flushed(pieces);
  t.equal(writes.length, 3, 'nothing is written that is not there');
});

t.test('what was written before a flush is in the file after it, whatever was under way', async (t) => {
  const folder = aFolder(t);
  let file = 0;
  const lines = fc.array(fc.oneof(fc.constant('flush'), fc.constantFrom(1, 100, 5_000, 20_000)), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(lines, async (steps) => {
      file += 1;
      const dest = join(folder, `${file}.log`);
      const destination = pino.destination({ dest, sync: false, minLength: 1 });
      const pieces = new LogPieces(destination);
      let all = '';
      for (const [n, step] of steps.entries()) {
        // A flush that nobody waits for, as one that another timer began.
        if (typeof step === 'string') pieces.flush();
        else {
          const line = `${String(n).repeat(step)}\n`;
          all += line;
          pieces.write(line);
        }
      }
      await flushed(pieces);
      t.equal(readFileSync(dest, 'utf8'), all);
      destination.end();
    }),
    { numRuns: 60 },
  );
});
