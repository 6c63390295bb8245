import type { DoNotCallCommand, WarrantCommand } from '../config/schema/types.generated.js';
import type { Calls } from './calls/calls.js';
import type { CutoffResult } from './calls/ports.js';
import type { OwnList } from './do-not-call/own-list.js';
import type { E164 } from './policy/ids.js';
import type { NumberReader } from './policy/number.js';
import type { SiteListening } from './site-listening.js';
import type { CommandResult, HouseCommand } from './uplink/command-desk.js';
import { cutoffOrders, lockdownTarget } from './uplink/cutoff-order.js';
import type { NumberToken } from './uplink/number-token.js';

/** What orders of headquarters act on. */
export interface House {
  readonly calls: Calls;
  readonly doNotCall: OwnList;
  /** Reads a number as a call's is read, so that the two meet. */
  readonly numbers: Pick<NumberReader, 'read'>;
  readonly numberToken: NumberToken;
  readonly offerWarrant: SiteListening['offerWarrant'];
}

const WARRANT_FAULTS = {
  'warrant.no-recording': 'nothing is recorded here: site.json has no media.recording, or the media driver cannot',
  'warrant.not-signed': 'it is signed by none of commandKeys in uplink.json',
  'warrant.malformed': 'it must have id, from, until, and either person or number',
  'warrant.over': 'it has ended already',
  'warrant.id-taken': 'another warrant has this id',
  'warrant.not-kept': 'the disk cannot take it',
} as const;

/** Carries out what headquarters ordered, and gives what its acknowledgement is to say. */
export async function runHouseCommand(command: HouseCommand, house: House): Promise<CommandResult> {
  const { calls, numberToken } = house;
  switch (command.type) {
    case 'release':
      calls.release(lockdownTarget(command.target), command.by);
      return { outcome: 'done' };
    case 'do-not-call':
      return listNumbers(command, house);
    case 'warrant':
      return takeWarrant(command, house);
    case 'cutoff': {
      const live = calls.live().flatMap(({ call, number }) => (number === undefined ? [] : [{ call, number }]));
      const results = await Promise.all(cutoffOrders(command, live, numberToken).map((order) => calls.cutoff(order)));
      return { outcome: 'done', result: { ...joinedResult(command.id, results) } };
    }
  }
}

/** The gateway keeps the warrant and says so in its audit chain before it is acknowledged. */
async function takeWarrant({ jws }: WarrantCommand, { offerWarrant }: House): Promise<CommandResult> {
  const said = await offerWarrant(jws);
  if (said.outcome === 'taken') return { outcome: 'done', result: { warrant: said.id } };
  return { outcome: 'failed', why: said.why, detail: WARRANT_FAULTS[said.why] };
}

/** All of them or, where one is no number, none. A call that is up to one of them ends. */
function listNumbers(command: DoNotCallCommand, { doNotCall, calls, numbers }: House): CommandResult {
  const { numbers: clear = [], numberTokens = [], reason, by } = command;
  const read = clear.map((text): E164 | undefined => {
    const found = numbers.read(text);
    // One that no call may go to anyhow does no harm on the list.
    if (!found.ok) return found.class === 'malformed' ? undefined : (text as E164);
    return found.number;
  });
  const bad = read.indexOf(undefined);
  if (bad >= 0)
    return { outcome: 'failed', why: 'no-number', detail: `the ${bad + 1}. number is none; nothing was changed` };
  const found = read.filter((number) => number !== undefined);
  const isKept = doNotCall.addAll({ numbers: found, numberTokens, why: reason, by });
  calls.policyChanged();
  const detail = 'in force, but the disk cannot take it: a restart would lose it; it is tried again';
  if (!isKept) return { outcome: 'failed', why: 'store-failed', detail };
  return { outcome: 'done', result: { numbers: found.length + numberTokens.length, listed: doNotCall.size } };
}

/** Several orders of one command as one result: the slowest of each measured time. */
function joinedResult(id: string, results: readonly CutoffResult[]): CutoffResult {
  const worst = (of: (result: CutoffResult) => number) => Math.max(0, ...results.map(of));
  return {
    id,
    calls: results.reduce((sum, { calls }) => sum + calls, 0),
    silentMs: worst(({ silentMs }) => silentMs),
    byesSentMs: worst(({ byesSentMs }) => byesSentMs),
    relaysOpenMs: worst(({ relaysOpenMs }) => relaysOpenMs),
    complete: results.every(({ complete }) => complete),
  };
}
