/** Everything that the gateway promises and the simulator checks. Each has a planted fault that breaks it; tests/simulation/plants.test.ts holds to that. */
export const PROMISES = [
  'no unknown handset',
  'no grant by a wrong clock',
  'no grant outside any window',
  'no grant in a lockdown',
  'no number that is not sanctioned',
  'nobody called who asked not to be',
  'no contact twice',
  'no contact outside its own times',
  'paid minutes add up',
  'no number tried too often',
  'a live call ends where a new bundle ends it',
  'no refusal without its reason',
  'no more than the quota of the day',
  'no talk without a committed deadline',
  'no talk beyond the most',
  'no talk outside any window',
  'no media past the committed deadline',
  'no media after the deadline',
  'no media of a call that never was',
  'a deadline never moves away',
  'no relay closed past its last lease',
  'the engine ends both legs by itself',
  'a cutoff silences at once',
  'no forged order obeyed',
  'a genuine order is obeyed',
  'no bundle that is not rightly signed',
  'a rightly signed bundle is taken',
  'a bundle is refused for its own reason',
  'no record twice',
  'no record of a call that never was',
  'no call without a record',
  'no call open in the journal for ever',
  'a record carries its event',
  'no event lost',
  'events arrive in order',
  'no event kept after its confirmation',
  'every plane released',
  'both legs are told',
  'nothing of a call stays in memory',
  'the gateway comes back',
  'nothing is thrown out of the gateway',
] as const;
export type PromiseName = (typeof PROMISES)[number];

/** A promise of the gateway that did not hold. */
export class Breach extends Error {
  override readonly name = 'Breach';

  constructor(
    readonly promise: PromiseName,
    readonly detail: string,
    /** The call, handset or order that it is about, for the story; '' for the whole site. */
    readonly about: string,
  ) {
    super(`${promise}: ${detail}`);
  }
}
