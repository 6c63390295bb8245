import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const MAIN = fileURLToPath(new URL('../../gateway/sip-engine/main.js', import.meta.url));
const stuckWrites = new URL('../media/fixtures/stuck-writes.js', import.meta.url).href;

t.test('an engine whose gateway was killed ends by itself, though nobody takes its log any more', async (t) => {
  const child = spawn(process.execPath, [`--import=${stuckWrites}`, MAIN], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const config = {
    listeners: [{ name: 'cell', address: '127.0.0.1', port: 0, transports: ['udp'] }],
    client: { address: '127.0.0.1', port: 0, secret: 'a secret of the test' },
    exitWhenOrphaned: true,
  };
  child.stdin.write(`${JSON.stringify(config)}\n`);
  const [ready] = await once(createInterface({ input: child.stdout }), 'line');
  t.match(ready, '"event":"ready"');
  child.stdout.destroy();
  child.stdin.destroy();
  t.same(await exited, [0, null]);
});
