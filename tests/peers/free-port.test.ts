/** Ports for peers that cannot be told to let the kernel choose: no two test files at once are given the same. */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { promisify } from 'node:util';
import t from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';

const MODULE = new URL('../../scripts/peers/free-port.js', import.meta.url).href;

/** A few ports that nobody holds, side by side. */
function room(): [number, number] {
  const lowest = 30_000 + (process.pid % 2_000);
  return [lowest, lowest + 11];
}

t.test('a port that this process was given is given to no other, and free again at its end', async (t) => {
  const [lowest, highest] = room();
  const ours = [await freePort(lowest, highest), await freePort(lowest, highest)];
  const script = `const { freePort } = await import(${JSON.stringify(MODULE)});
    const given = []; for (let i = 0; i < 6; i += 1) given.push(await freePort(${lowest}, ${highest}));
    console.log(JSON.stringify(given));`;
  const child = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const theirs = JSON.parse(child.stdout) as number[];
  t.equal(new Set([...ours, ...theirs]).size, 8, 'each another one');
  const again = [];
  for (let count = 0; count < 8; count += 1) again.push(await freePort(lowest, highest));
  t.ok(
    again.some((port) => theirs.includes(port)),
    'the other process has ended',
  );
});

t.test('a port that somebody listens on is not given, and a range without one is an error', async (t) => {
  const holder = createSocket('udp4').bind(0, '127.0.0.1');
  t.teardown(() => holder.close());
  await once(holder, 'listening');
  const { port } = holder.address();
  await t.rejects(freePort(port, port), { message: /no free port of 127\.0\.0\.1/ });
});
