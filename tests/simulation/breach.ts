/** A promise of the gateway that did not hold. */
export class Breach extends Error {
  override readonly name = 'Breach';

  constructor(
    /** Stable name of the promise. */
    readonly promise: string,
    readonly detail: string,
  ) {
    super(`${promise}: ${detail}`);
  }
}
