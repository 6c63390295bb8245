/** Thrown at the gateway by its own ports once its process is dead, so that nothing of the rest of its step takes effect. */
export class Dead extends Error {
  constructor() {
    super('this process is dead');
  }
}

/**
 * One life of the gateway's process. Each order to a plane and each transaction is a point before and after which it may
 * die; what it does after its death reaches nobody.
 */
export class Life {
  isDead = false;
  private isStopped = false;
  private backlog: (() => void)[] = [];

  constructor(
    /** Counts down the points; true when the process dies here. */
    private readonly diesHere: () => boolean,
    private readonly onDeath: () => void,
  ) {}

  /** Runs a timer or an arrival, now or once the process goes on; never when it is dead. */
  run(work: () => void): void {
    if (this.isDead) return;
    if (this.isStopped) {
      this.backlog.push(work);
      return;
    }
    try {
      work();
    } catch (fault) {
      if (!(fault instanceof Dead)) throw fault;
    }
  }

  /** One order or transaction of the gateway's. */
  point<T>(work: () => T): T {
    if (this.isDead) throw new Dead();
    if (this.diesHere()) this.die();
    if (this.isDead) throw new Dead();
    const result = work();
    if (this.diesHere()) this.die();
    return result;
  }

  die(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.backlog = [];
    this.onDeath();
  }

  /** SIGSTOP: time goes by without it. */
  stop(): void {
    this.isStopped = true;
  }

  /** SIGCONT: all that has arrived meanwhile is found at once. */
  goOn(): void {
    this.isStopped = false;
    const { backlog } = this;
    this.backlog = [];
    for (const work of backlog) this.run(work);
  }
}
