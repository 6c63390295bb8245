/** A working day in two cells: sign-on, contacts, how they went, sign-off, and the statement of what it is paid. */
import type { EventEnvelope } from '../../config/schema/types.generated.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { clockTime, money, type Statement } from '../../gateway/work/statement.js';
import type { HandsetCall } from '../simulators/handset.js';
import { balise } from './balise.js';
import type { DemoHandset } from './day.js';
import { PLACES, realHours, timeIn } from './played-hours.js';
import type { Story } from './story.js';
import { type DemoWorker, WORKERS } from './work-site.js';

type Data = Readonly<Record<string, unknown>>;

/** What headquarters hears, for those who wait for it. */
export class Heard {
  readonly #events: EventEnvelope[] = [];
  #waiting: (() => void)[] = [];

  take(event: EventEnvelope): void {
    this.#events.push(event);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** How many have come. */
  get count(): number {
    return this.#events.length;
  }

  /** The first after the `from`th that is wanted, come or to come. */
  async first(from: number, wanted: (type: string, data: Data) => boolean): Promise<EventEnvelope> {
    for (let next = from; ; next += 1) {
      while (next >= this.#events.length) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      const event = this.#events[next];
      if (event !== undefined && wanted(event.type, event.data as Data)) return event;
    }
  }
}

export interface WorkDay {
  readonly story: Story;
  readonly clock: Pick<Clock, 'wall'>;
  readonly site: string;
  readonly heard: Heard;
  readonly handsets: Readonly<Record<keyof typeof WORKERS, DemoHandset>>;
}

const TALK_MS = 1_200;
/** How each contact went, as it is keyed. */
const OUTCOMES = {
  brussels: [
    ['1', 'completed'],
    ['3', 'do not call again'],
  ],
  ankara: [['2', 'refused']],
} as const satisfies Record<keyof typeof WORKERS, readonly (readonly [string, string])[]>;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Throws when something does not go as it must. */
export async function runWorkDay(day: WorkDay): Promise<void> {
  const { story } = day;
  const at = day.clock.wall();
  const [here, there] = [timeIn(PLACES.brussels, at), timeIn(PLACES.ankara, at)];
  story.scene(`6. A working day: Brussels in Dutch at ${here}, Ankara in Turkish at ${there}`);
  // The day is played whenever the demo runs, and says what is not real of it.
  story.tell(
    'demo',
    'plays by the clock of this machine, with calling hours that are open at any hour, for the demo only',
  );
  story.tell('demo', `by the rules on file ${realHours(Object.values(PLACES), at).join('; ')}`);
  await Promise.all([shift(day, 'brussels'), shift(day, 'ankara')]);
  story.scene('7. What it is paid');
  for (const { person } of Object.values(WORKERS)) await tellStatement(day, person);
}

async function shift({ story, heard, handsets }: WorkDay, who: keyof typeof WORKERS): Promise<void> {
  const worker: DemoWorker = WORKERS[who];
  const handset = handsets[who];
  const says = (words: string): void => story.tell('handset', `${handset.id} ${words}`);
  const did = (from: number, activity: string) =>
    heard.first(
      from,
      (type, data) => type === 'balise.work.activity' && data.person === worker.person && data.activity === activity,
    );
  await handset.hook(true);
  let from = heard.count;
  const dialled = await handset.sip.dial('*1');
  if (dialled.outcome === 'refused') throw new Error(`${handset.id} was refused at the desk: ${dialled.rule ?? ''}`);
  const { call } = dialled;
  says('dials *1 and hears the desk; code and PIN are keyed');
  call.phone.press(`${worker.code}#${worker.pin}#`);
  await did(from, 'signed-on');
  for (const [key, words] of OUTCOMES[who]) await contact({ call, key, words, says, did, heard });
  from = heard.count;
  says('keys 9: signs off');
  call.phone.press('9');
  await did(from, 'signed-off');
  await call.hangUp();
  call.phone.close();
  await handset.hook(false);
}

interface OneContact {
  readonly call: HandsetCall;
  readonly key: string;
  readonly words: string;
  readonly says: (words: string) => void;
  readonly did: (from: number, activity: string) => Promise<EventEnvelope>;
  readonly heard: Heard;
}

async function contact({ call, key, words, says, did, heard }: OneContact): Promise<void> {
  const from = heard.count;
  says('keys 1: the next contact, whose number nobody here is told');
  call.phone.press('1');
  await did(from, 'talking');
  await pause(TALK_MS);
  const isBack = call.turned();
  call.phone.press('*0');
  // What is keyed while the sound is on its way back to the desk is heard by nobody.
  await Promise.all([isBack, did(from, 'wrap-up')]);
  says(`keys ${key}: ${words}`);
  const keyedAt = heard.count;
  call.phone.press(key);
  await did(keyedAt, 'signed-on');
}

async function tellStatement({ story, site }: WorkDay, person: string): Promise<void> {
  const month = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Brussels', year: 'numeric', month: '2-digit' });
  const of = ['--site', site, '--person', person, '--month', month.format(new Date())];
  const made = JSON.parse(await balise(['statement', ...of, '--form', 'json'])) as Statement;
  const talked = made.lines.filter(({ activity }) => activity === 'talking').reduce((sum, { ms }) => sum + ms, 0);
  for (const { campaign, paidMs, amount, rate } of made.totals) {
    const paid = `${clockTime(paidMs)} paid, of it ${clockTime(talked)} of talk, is ${money(amount, rate.currency)}`;
    story.tell(
      'statement',
      `${person}, ${made.month}, ${campaign}: ${paid}; ${made.events.length} events of the audit chain`,
    );
  }
}
