import type { Test } from 'tap';
import type { Campaign, Person } from '../../config/schema/types.generated.js';
import { ALWAYS, type Hours, together } from '../../gateway/policy/hours.js';
import { type E164, type HandsetId, handsetId } from '../../gateway/policy/ids.js';
import { Schedule } from '../../gateway/policy/schedule.js';
import type { Store } from '../../gateway/store/store.js';
import { uuid7 } from '../../gateway/store/uuid7.js';
import { NumberSeal } from '../../gateway/work/number-seal.js';
import { hashPin } from '../../gateway/work/pin.js';
import { statementOf } from '../../gateway/work/statement.js';
import { WorkDesk } from '../../gateway/work/work-desk.js';
import type { ContactCall } from '../../gateway/work/work-seam.js';
import { VirtualClock } from '../lines/virtual-clock.js';
import { aFolder, aStore } from '../store/folder.js';
import { silent } from '../store/samples.js';
import { aCampaign, at, BRUSSELS, contactHours } from './samples.js';

export const CELL = handsetId('a-101');
export const OTHER = handsetId('a-102');
const WINDOW = new Schedule('Europe/Brussels', [{ days: ['wed'], from: '08:00', to: '12:00' }]);
export const NUMBERS = Array.from({ length: 6 }, (_, n) => `+442079460${String(n).padStart(3, '0')}` as E164);

/** As another process does it: the store that the desk has is told by the disk alone. */
export function suspend(shift: Shift): void {
  change(shift, { suspended: true });
}

/** The same of whatever a person may. */
export function change(shift: Shift, part: Partial<Person>): void {
  const person = shift.store.work.person('p-1');
  if (person === undefined) throw new Error('there is no p-1');
  const other = shift.anotherStore();
  other.work.putPerson({ ...person, ...part });
  other.close();
}

/** A desk with one person, a campaign and its contacts; what it says and orders is kept. */
export class Shift {
  readonly clock = new VirtualClock(at('2026-03-04T09:00:00Z'));
  readonly store: Store;
  readonly seal = new NumberSeal(Buffer.alloc(32, 3));
  readonly said: string[] = [];
  readonly dialled: ContactCall[] = [];
  readonly alarms: string[] = [];
  readonly refused: string[] = [];
  readonly lockedOut = new Set<string>();
  /** Opens the same folder as another process would. */
  readonly anotherStore: () => Store;
  endCalls = 0;
  /** The person's hours, where somebody has changed them. */
  hours: Schedule | undefined;
  /** The handset's own hours. */
  handsetHours: Hours = ALWAYS;
  closed = 0;
  /** Until when the desk itself listens, at the latest, as it was told last. */
  listensToMs: number | undefined;
  desk: WorkDesk;
  #checked: (() => void) | undefined;

  constructor(t: Test, folder = aFolder(t)) {
    this.store = aStore(t, { clock: this.clock, folder });
    this.anotherStore = () => aStore(t, { clock: this.clock, folder });
    this.desk = this.newDesk('boot-1');
  }

  /** Milliseconds since the epoch. */
  get ms(): number {
    return this.clock.wall().epochMilliseconds;
  }

  newDesk(bootId: string, hours = WINDOW): WorkDesk {
    return new WorkDesk({
      clock: this.clock,
      bootId,
      store: this.store.work,
      hours: contactHours(),
      hoursOf: () => together([this.hours ?? hours, this.handsetHours]),
      hoursOfHandset: () => this.handsetHours,
      zonesOfCountry: () => ['Europe/Brussels'],
      siteLanguage: 'nl',
      isLockedOut: (person) => this.lockedOut.has(person),
      newId: () => uuid7(this.ms),
      log: silent,
      seam: {
        play: (handset, prompts) => {
          this.said.push(...prompts);
          if (handset === CELL || handset === OTHER) this.#checked?.();
        },
        hush: () => undefined,
        dial: (call) => this.dialled.push(call),
        endCall: () => {
          this.endCalls += 1;
        },
        close: () => {
          this.closed += 1;
        },
        alarm: (code) => this.alarms.push(code),
        refused: (why) => this.refused.push(why),
        leavesAt: (_, to) => {
          this.listensToMs = to.epochMilliseconds;
        },
      },
    });
  }

  async prepare(contacts = NUMBERS.length, part: Partial<Campaign> = {}, who: Partial<Person> = {}): Promise<void> {
    this.store.work.putCampaign(aCampaign(part));
    this.store.work.putPerson({
      id: 'p-1',
      code: '3051',
      pin: await hashPin('4817'),
      languages: ['nl'],
      handsets: ['a-101', 'a-102'],
      campaigns: ['survey'],
      suspended: false,
      ...who,
    });
    this.store.work.addContacts(
      NUMBERS.slice(0, contacts).map((number) => {
        const names = this.seal.names(number);
        const place = { ...BRUSSELS, zones: [...BRUSSELS.zones] };
        const sealed = this.seal.seal(number, names.token);
        return { campaign: 'survey', ...names, sealed, language: 'nl', place, times: {}, priority: 5 };
      }),
    );
    this.desk.start();
  }

  keys(digits: string, handset: HandsetId = CELL): void {
    for (const digit of digits) this.desk.digit(handset, digit);
  }

  /** Code and PIN; settles when what came of them is said. */
  async signOn(pin = '4817', handset: HandsetId = CELL, code = '3051'): Promise<void> {
    if (!['code', 'pin'].includes(this.desk.stateOf(handset).at)) this.desk.opened(handset);
    if (this.desk.stateOf(handset).at === 'code') this.keys(`${code}#`, handset);
    const said = new Promise<void>((settle) => {
      this.#checked = settle;
    });
    this.keys(`${pin}#`, handset);
    await said;
    this.#checked = undefined;
  }

  get call(): ContactCall {
    const call = this.dialled.at(-1);
    if (call === undefined) throw new Error('nothing was dialled');
    return call;
  }

  /** Rings, talks and ends. */
  talk(talkMs: number, ringMs = 5_000): void {
    this.clock.go(ringMs);
    this.desk.answered(CELL, this.call.token);
    this.clock.go(talkMs);
    this.desk.ended(CELL, this.call.token, 'talked');
  }

  events(type: string): Record<string, unknown>[] {
    return this.store.outbox
      .pending({ alarm: 0, event: 0 }, 1_000)
      .map(({ body }) => JSON.parse(body) as { type: string; data: Record<string, unknown> })
      .filter((event) => event.type === type)
      .map(({ data }) => data);
  }

  statement() {
    const events = this.store.work.workEvents('p-1', 0, Number.MAX_SAFE_INTEGER);
    return statementOf(events, { gateway: 'demo/gw-1', person: 'p-1', month: '2026-03', zone: 'Europe/Brussels' });
  }
}
