import type { SiteFiles } from './config/site.js';
import type { BoardsAdded, NewBoard } from './console/api/board-edits.js';
import type { Change } from './console/source.js';
import { withBoards } from './editing/board-edit.js';
import { type EditOutcome, editBoards } from './editing/site-edit.js';
import { asConsoleFault, checkTaken, handOf } from './site-edit-answers.js';

/**
 * Adds boards to the site by a person at the console, as `balise board add` does, and has this gateway take them.
 * Rejects with a `ConsoleFault`; nothing is written then, unless it says so.
 */
export async function addBoards(
  files: SiteFiles,
  running: { readonly reload: () => Promise<void> },
  wanted: readonly NewBoard[],
  by: Pick<Change, 'who' | 'role' | 'from'>,
): Promise<BoardsAdded> {
  const names = wanted.map(({ id }) => id);
  let outcome: EditOutcome;
  try {
    const hand = handOf(by, `board add ${names.join(' ')}`, running);
    outcome = await editBoards(files.folder, hand, (boards) => withBoards(boards, wanted));
  } catch (fault) {
    throw asConsoleFault(fault);
  }
  checkTaken(outcome);
  const held = new Set(files.boards.map(({ id }) => id));
  return {
    boards: outcome.site.boards
      .filter(({ id }) => names.includes(id))
      .map(({ id, agent }) => ({ board: id, agent, isRunning: held.has(id) })),
    remarks: outcome.remarks,
  };
}
