/** Counts the requests of each address that begin something and have no final answer yet. */
export class OpenRequests {
  readonly #open = new Map<string, number>();

  constructor(readonly most: number) {}

  /** Takes one more, or says that there are too many. */
  admit(method: string, address: string): boolean {
    if (!counts(method)) return true;
    const open = this.#open.get(address) ?? 0;
    if (open >= this.most) return false;
    this.#open.set(address, open + 1);
    return true;
  }

  release(method: string, address: string): void {
    if (!counts(method)) return;
    const open = (this.#open.get(address) ?? 0) - 1;
    if (open > 0) this.#open.set(address, open);
    else this.#open.delete(address);
  }
}

function counts(method: string): boolean {
  return method === 'INVITE' || method === 'REGISTER' || method === 'OPTIONS';
}
