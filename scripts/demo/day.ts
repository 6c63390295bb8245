import type { CommandAck } from '../../config/schema/types.generated.js';
import type { SimulatedHandset } from '../simulators/handset.js';
import type { Story } from './story.js';
import { signedMs } from './story.js';

/** One handset of the demo with its line. */
export interface DemoHandset {
  readonly id: string;
  readonly sip: SimulatedHandset;
  /** Lifts or hangs up the handset's hook on the simulated board. */
  readonly hook: (off: boolean) => Promise<void>;
}

export interface DemoDay {
  readonly story: Story;
  /** Profile `survey`: half an hour of talk. */
  readonly caller: DemoHandset;
  /** Profile `short`: six seconds of talk, warnings at four and two. */
  readonly short: DemoHandset;
  readonly numbers: {
    readonly allowed: string;
    readonly closed: string;
    readonly closedWhere: string;
    readonly unsanctioned: string;
  };
  /** Headquarters orders a cutoff of a handset and waits for the gateway's last acknowledgement. */
  readonly cut: (handset: string) => Promise<CommandAck>;
}

const TALK_MS = 2_500;
const SHORT_TALK_NS = 6_000_000_000n;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function lifted(handset: DemoHandset, story: Story, dialled: string) {
  story.tell('handset', `${handset.id} lifts the handset and dials ${dialled}`);
  await handset.hook(true);
  return handset.sip.dial(dialled);
}

async function down(handset: DemoHandset): Promise<void> {
  await handset.hook(false);
}

/** The scripted day: five calls, each told as it happens. Throws when one does not go as it must. */
export async function runDay(day: DemoDay): Promise<void> {
  await allowed(day);
  await refused(day, `A number in ${day.numbers.closedWhere}, where it is out of hours now`, day.numbers.closed, [
    'window.callee',
    'holiday.callee',
  ]);
  await refused(day, 'A number that nobody has sanctioned', day.numbers.unsanctioned, ['number.not-sanctioned']);
  await cutAtDeadline(day);
  await cutByOrder(day);
}

async function allowed({ story, caller, numbers }: DemoDay): Promise<void> {
  story.scene('1. A sanctioned call');
  const dialled = await lifted(caller, story, numbers.allowed);
  if (dialled.outcome === 'refused')
    throw new Error(`the sanctioned call was refused: ${dialled.status} ${dialled.rule ?? dialled.reason}`);
  const { call } = dialled;
  story.tell('handset', `${caller.id} is answered and talks`);
  await pause(TALK_MS);
  story.tell('handset', `${caller.id} heard ${call.phone.received} packets from the far end, and hangs up`);
  await call.hangUp();
  call.phone.close();
  await down(caller);
  await pause(300);
}

async function refused(
  { story, caller }: DemoDay,
  title: string,
  number: string,
  rules: readonly string[],
): Promise<void> {
  story.scene(`${rules[0] === 'window.callee' ? '2' : '3'}. ${title}`);
  const dialled = await lifted(caller, story, number);
  if (dialled.outcome === 'answered') {
    await dialled.call.hangUp();
    throw new Error('a call that had to be refused was answered');
  }
  story.tell('handset', `${caller.id} hears ${dialled.status}: refused by ${dialled.rule ?? 'no rule'}`);
  if (!rules.includes(dialled.rule ?? ''))
    throw new Error(`refused by ${dialled.rule}, expected ${rules.join(' or ')}`);
  await down(caller);
  await pause(300);
}

async function cutAtDeadline({ story, short, numbers }: DemoDay): Promise<void> {
  story.scene('4. A call that is warned, and ends at its deadline');
  const dialled = await lifted(short, story, numbers.allowed);
  if (dialled.outcome === 'refused') throw new Error(`the call was refused: ${dialled.rule ?? dialled.status}`);
  const { call } = dialled;
  const answeredNs = process.hrtime.bigint();
  story.tell('handset', `${short.id} is answered; this profile grants six seconds, with warnings at four and two`);
  const tone = setInterval(() => {
    if (call.phone.takeTone()) story.tell('handset', `${short.id} hears the warning tone`);
  }, 50);
  const { by, atNs } = await call.ended;
  clearInterval(tone);
  await pause(300);
  const byeMs = Number(atNs - answeredNs - SHORT_TALK_NS) / 1e6;
  const mediaMs = Number(call.phone.lastReceivedNs - answeredNs - SHORT_TALK_NS) / 1e6;
  story.tell(
    'handset',
    `${short.id} is cut by the ${by} at its deadline: BYE ${signedMs(byeMs)}, last packet ${signedMs(mediaMs)}, counted from six seconds after its answer`,
  );
  call.phone.close();
  await down(short);
  await pause(300);
}

async function cutByOrder({ story, caller, numbers, cut }: DemoDay): Promise<void> {
  story.scene('5. A call that headquarters cuts');
  const dialled = await lifted(caller, story, numbers.allowed);
  if (dialled.outcome === 'refused') throw new Error(`the call was refused: ${dialled.rule ?? dialled.status}`);
  const { call } = dialled;
  story.tell('handset', `${caller.id} is answered and talks`);
  await pause(1_500);
  story.tell('headquarters', `orders a cutoff of ${caller.id}, signed, good for 30 s`);
  const orderedNs = process.hrtime.bigint();
  const acknowledged = cut(caller.id);
  const { by, atNs } = await call.ended;
  await pause(200);
  const byeMs = Number(atNs - orderedNs) / 1e6;
  const mediaMs = Number(call.phone.lastReceivedNs - orderedNs) / 1e6;
  story.tell(
    'handset',
    `${caller.id} is cut by the ${by}: last packet ${signedMs(mediaMs)}, BYE ${signedMs(byeMs)} after the order`,
  );
  const ack = await acknowledged;
  story.tell(
    'headquarters',
    `has the gateway's word: ${ack.state} in ${Math.round(ack.ms ?? 0)} ms, ${JSON.stringify(ack.result ?? {})}`,
  );
  call.phone.close();
  await down(caller);
}
