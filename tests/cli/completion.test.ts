import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { wordsOf } from '../../scripts/cli/completion.js';
import { handset } from '../../scripts/cli/handset.js';
import { balise } from './terminal.js';

const has = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;

async function scriptOf(t: Test, shell: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'balise-completion-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { status, stdout } = await balise(['completion', shell]);
  t.equal(status, 0);
  const file = join(folder, `balise.${shell}`);
  writeFileSync(file, stdout);
  return file;
}

t.test('the words of a command are those of its own help', async (t) => {
  const { verbs, options } = wordsOf(handset);
  t.same(verbs, ['add', 'disable', 'enable', 'import', 'list', 'models', 'provision', 'remove', 'replace', 'show']);
  for (const option of ['--wing', '--new-token', '--apply', '--help']) t.ok(options.includes(option), option);
});

t.test('bash completes commands, what they do, and their options', { skip: !has('bash') && 'no bash' }, async (t) => {
  const file = await scriptOf(t, 'bash');
  const completed = (...words: string[]): string[] => {
    const line = words.map((word) => `'${word}'`).join(' ');
    const asked = `. ${file}; COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _balise; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync('bash', ['-c', asked], { encoding: 'utf8' });
    t.equal(status, 0, stderr);
    return stdout.split('\n').filter((word) => word !== '');
  };
  t.same(completed('balise', 'ha'), ['ha1', 'handset']);
  t.same(completed('balise', 'handset', 're'), ['remove', 'replace']);
  t.same(completed('balise', 'people', 'pa'), completed('balise', 'staff', 'pa'), 'by an older name too');
  t.same(completed('balise', 'handset', 'add', '--pro'), ['--profile']);
  t.same(completed('balise', 'check', '--j'), ['--json']);
  t.same(completed('balise', 'nothing', '--'), []);
});

for (const shell of ['zsh', 'fish']) {
  t.test(`${shell} takes the script as its own`, { skip: !has(shell) && `no ${shell}` }, async (t) => {
    const { status, stderr } = spawnSync(shell, ['-n', await scriptOf(t, shell)], { encoding: 'utf8' });
    t.equal(status, 0, stderr);
  });
  t.test(`${shell} is told every command with what it does`, async (t) => {
    const { stdout } = await balise(['completion', shell]);
    t.match(stdout, /handset.*adds, shows, provisions and changes the handsets of a site/);
    t.match(stdout, 'new-token');
  });
}

t.test('a shell that there is not is told', async (t) => {
  t.match(await balise(['completion']), { status: 64, stderr: /bash, zsh or fish/ });
  t.match(await balise(['completion', 'csh']), { status: 64 });
});
