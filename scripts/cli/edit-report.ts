import type { EditOutcome } from '../../gateway/editing/site-edit.js';
import { EXIT, type ExitCode, type Terminal } from './command.js';

const WORDS: Readonly<Record<EditOutcome['gateway'], string>> = {
  taken: 'the running gateway has taken it',
  refused: 'the running gateway has NOT taken it; it goes on as it was',
  stopped: 'no gateway runs: it counts from the next start',
  silent: 'the running gateway has not answered; its log says more',
};

/** Says what the running gateway made of a change, and gives the exit status. */
export function told({ gateway, remarks, changes, boards }: EditOutcome, { stdout, stderr }: Terminal): ExitCode {
  if (gateway === 'taken' || gateway === 'stopped') {
    stdout.write(`${changes.length + boards.length + remarks.length === 0 ? '' : `${WORDS[gateway]}\n`}`);
    for (const remark of remarks) stdout.write(`note: ${remark}\n`);
    return EXIT.ok;
  }
  stderr.write(`${WORDS[gateway]}\n`);
  for (const remark of remarks) stderr.write(`${remark}\n`);
  return EXIT.no;
}
