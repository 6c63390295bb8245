import type { BoardId, HandsetId } from '../policy/ids.js';
import type { LineFitting } from './fittings.js';
import type { Line } from './line.js';

export interface Refit {
  /** Lines that are none any more, or are wired elsewhere now: what they knew is of another wire. */
  readonly gone: readonly Line[];
  /** Lines that stand as they stood, and are not to be leased from now on. */
  readonly shut: readonly Line[];
}

/** The lines of a site as they are wired now, and which of them wait for an agent that does not know their wire yet. */
export class LineSet {
  #lines = new Map<HandsetId, Line>();
  #byBoard = new Map<BoardId, Line[]>();
  #shut: ReadonlySet<HandsetId> = new Set();

  /** `make` makes a line that believes no state of before `sinceNs`. */
  constructor(private readonly make: (fitting: LineFitting, sinceNs: bigint) => Line) {}

  get(handset: HandsetId): Line | undefined {
    return this.#lines.get(handset);
  }

  all(): readonly Line[] {
    return [...this.#lines.values()];
  }

  on(board: BoardId): readonly Line[] {
    return this.#byBoard.get(board) ?? [];
  }

  /** Its agent does not know its wire: it is not leased, and what is said of it is not believed. */
  isShut({ handset }: Line): boolean {
    return this.#shut.has(handset);
  }

  /**
   * Takes the lines as they are wired now. One whose wire is the same stays, whatever its wing; any other begins anew and
   * believes nothing that was said before `sinceNs`.
   */
  fit(fittings: readonly LineFitting[], shut: ReadonlySet<HandsetId>, sinceNs: bigint): Refit {
    const before = this.#lines;
    const wereShut = this.#shut;
    this.#shut = shut;
    this.#lines = new Map(
      fittings.map((fitting) => {
        const old = before.get(fitting.handset);
        if (old?.isWiredAs(fitting) !== true) return [fitting.handset, this.make(fitting, sinceNs)];
        old.wing = fitting.wing;
        return [fitting.handset, old];
      }),
    );
    this.#byBoard = new Map();
    for (const line of this.#lines.values()) this.#byBoard.set(line.board, [...this.on(line.board), line]);
    return {
      gone: [...before.values()].filter((line) => this.#lines.get(line.handset) !== line),
      shut: this.all().filter((line) => shut.has(line.handset) && !wereShut.has(line.handset)),
    };
  }
}
