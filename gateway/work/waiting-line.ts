/** Who waits for work, longest first: work that turns up is offered to them in this order, so that nobody is passed over. */
export class WaitingLine<T> {
  readonly #line: T[] = [];

  /** Goes to the end of the line; whoever stands in it already keeps the place. */
  join(who: T): void {
    if (!this.#line.includes(who)) this.#line.push(who);
  }

  leave(who: T): void {
    const at = this.#line.indexOf(who);
    if (at >= 0) this.#line.splice(at, 1);
  }

  /** Everybody in the line, longest wait first. */
  all(): readonly T[] {
    return [...this.#line];
  }
}
