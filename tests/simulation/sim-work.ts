import type { Campaign, Limit, Person } from '../../config/schema/types.generated.js';
import type { Calls } from '../../gateway/calls/calls.js';
import type { CallRequest } from '../../gateway/calls/ports.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { type CallId, callId, type E164, type HandsetId } from '../../gateway/policy/ids.js';
import { NumberSeal } from '../../gateway/work/number-seal.js';
import type { Life } from './life.js';
import { limitsWritten } from './limit-watch.js';
import type { People } from './people.js';
import { COUNTRIES, SITE_ZONE } from './sim-site.js';
import { DAY_US, MINUTE_US } from './timeline.js';
import type { WindowRule } from './window-oracle.js';
import { WorkLife } from './work-life.js';
import { CAMPAIGNS, contactAt, peopleOf } from './work-site.js';
import { SimWorkStore } from './work-store.js';
import { type WorkOfSite, WorkWatch } from './work-watch.js';
import { Worker } from './worker.js';
import type { WorldParts } from './world-parts.js';

export interface WorkPlant {
  readonly work?: 'settlement-lost' | 'times-lost' | 'pause-lost' | 'changes-unheard';
}

const OF_WORK = '00000000-0000-7000-9000-';
/** Whether a call is a contact's, by its id. */
export const isOfWork = (call: CallId): boolean => call.startsWith(OF_WORK);

const KEY = Buffer.alloc(32, 7);
/** Contacts of each campaign at first, and those that come every four days. */
const AT_FIRST = 60;
const MORE = 6;
/** A change is seen by then: the gateway looks each minute, and may hang for half of one. */
const SEEN_US = 3 * MINUTE_US;

/** The work of a simulated site: handsets with a desk, people, campaigns, contacts that are brought now and then. */
export class SimWork implements WorkOfSite {
  readonly watch: WorkWatch;
  private readonly store: SimWorkStore;
  private readonly seal = new NumberSeal(KEY);
  private readonly workers: ReadonlyMap<HandsetId, Worker>;
  private readonly people: readonly (readonly [Person, Person])[];
  /** Which version of a person or a campaign holds. */
  private readonly versions = new Map<string, 0 | 1>();
  /** When it last became another, virtual time. */
  private readonly changedUs = new Map<string, number>();
  private readonly brought = new Map<string, number>();
  private made = 0;
  private ids = 0;

  constructor(
    private readonly world: WorldParts,
    people: People,
    private readonly handsets: readonly HandsetId[],
    shiftsPerDay: number,
    private readonly plant: WorkPlant = {},
  ) {
    const { timeline, site, store, watch } = world;
    this.watch = new WorkWatch(() => timeline.nowUs);
    this.store = new SimWorkStore(
      { transact: (events) => store.append(events) },
      {
        noted: (event) => {
          const wrong = this.watch.noted(event);
          if (wrong !== undefined) watch.breach('paid minutes add up', wrong, '');
        },
        lost: (event) => this.watch.lost(event),
      },
    );
    this.people = peopleOf(handsets);
    const persons = this.people.map(([one]) => one);
    this.workers = new Map(
      handsets.flatMap((id): [HandsetId, Worker][] => {
        const handset = site.handsets.get(id);
        const everyUs = DAY_US / shiftsPerDay;
        return handset === undefined ? [] : [[id, new Worker(world, people, handset, persons, everyUs)]];
      }),
    );
    this.store.outside(() => {
      for (const [one] of this.people) this.store.tables.putPerson(one);
      for (const [one] of Object.values(CAMPAIGNS)) this.store.tables.putCampaign(one);
    });
    for (const name of Object.keys(CAMPAIGNS)) this.bring(name, AT_FIRST);
  }

  begin(): void {
    for (const worker of this.workers.values()) worker.begin();
    this.bringMore();
  }

  /** The work of a new life of the gateway. */
  lifeOf(life: Life, clock: Clock, bootId: string, calls: () => Calls): WorkLife {
    const { world, plant, watch } = this;
    const store = this.store.of(life, (ref) => watch.attempted(ref));
    const { tables } = this.store;
    if (plant.work === 'settlement-lost')
      store.settle = (ref, settled, events) => tables.settle(ref, { ...settled, isOver: false }, events);
    if (plant.work === 'times-lost')
      store.contacts = (...asked) => tables.contacts(...asked).map((contact) => ({ ...contact, times: {} }));
    if (plant.work === 'pause-lost')
      store.append = (events) => tables.append(events.filter(({ data }) => data.activity !== 'pause'));
    return new WorkLife({
      ...{ life, clock, bootId, store, seal: this.seal, key: KEY, calls, handsets: this.handsets },
      policy: () => world.policyNow(),
      signalling: world.signalling,
      numberToken: world.numberToken,
      ownList: {
        addAll: (order) => world.ownList.addAll(order),
        refusedAll: (order) => world.ownList.refusedAll(order),
      },
      newId: () => {
        this.ids += 1;
        return `s-${this.ids}`;
      },
      newCallId: () => this.newCallId(),
      track: (work) => world.track(work),
      heard: (handset, pieces) => this.workers.get(handset)?.hear(pieces),
      requested: (request: CallRequest) => world.watch.requested(request),
      telling: (number) => world.lists.telling(number),
      kept: (number, word) => {
        if (world.clock.wrongMs !== 0) return;
        if (word === 'refused') world.lists.refused(number, world.clock.trueMs());
        else world.lists.askedNot(number);
      },
      isDeafToChanges: plant.work === 'changes-unheard',
    });
  }

  /** A contact has answered at a handset. */
  talking(handset: HandsetId, call: CallId): void {
    this.workers.get(handset)?.talking(call);
  }

  /** The hours of a request's person and campaign, and what its contact's country says, as they are now. */
  rulesOf({ person, campaign }: CallRequest): readonly WindowRule[] {
    return [...this.rulesNow(person), ...this.rulesNow(campaign)];
  }

  mostTalkMs({ campaign }: CallRequest): number {
    return campaign === undefined ? Number.POSITIVE_INFINITY : (CAMPAIGNS[campaign]?.[0].maxTalkS ?? 0) * 1_000;
  }

  /** Somebody changes this person or campaign, or any, while calls run; which one it was. */
  change(rather: string | undefined): string {
    const { random } = this.world;
    const all = [...this.people, ...Object.values(CAMPAIGNS)];
    const versions = all.find(([{ id }]) => id === rather) ?? random.pick(all);
    const [{ id }] = versions;
    const next = this.versions.get(id) === 1 ? 0 : 1;
    this.versions.set(id, next);
    this.changedUs.set(id, this.world.timeline.nowUs);
    const one = versions[next];
    this.store.outside(() => {
      if ('code' in one) this.store.tables.putPerson(one);
      else this.store.tables.putCampaign(one);
    });
    return id;
  }

  private versionsOf(id: string | undefined): readonly (Person | Campaign)[] {
    return this.people.find(([one]) => one.id === id) ?? CAMPAIGNS[id ?? ''] ?? [];
  }

  limitsOf(id: string | undefined): readonly Limit[] {
    return limitsWritten(this.versionsOf(id)[0] ?? {});
  }

  rulesOfLate(id: string | undefined): readonly (readonly WindowRule[])[] {
    if (id === undefined || this.versionsOf(id).length === 0) return [];
    const now = this.versions.get(id) ?? 0;
    const isLate = this.world.timeline.nowUs - (this.changedUs.get(id) ?? Number.NEGATIVE_INFINITY) < SEEN_US;
    return (isLate ? ([0, 1] as const) : [now]).map((version) => this.rulesOfVersion(id, version));
  }

  private rulesNow(id: string | undefined): readonly WindowRule[] {
    return this.rulesOfVersion(id, this.versions.get(id ?? '') ?? 0);
  }

  private rulesOfVersion(id: string | undefined, version: 0 | 1): readonly WindowRule[] {
    const windows = this.versionsOf(id)[version]?.windows;
    return windows === undefined ? [] : [{ zone: SITE_ZONE, windows }];
  }

  private newCallId(): CallId {
    this.made += 1;
    return callId(`${OF_WORK}${String(this.made).padStart(12, '0')}`);
  }

  private bringMore(): void {
    const { timeline } = this.world;
    timeline.in(4 * DAY_US, () => {
      this.bringMore();
      for (const name of Object.keys(CAMPAIGNS)) this.bring(name, MORE);
    });
  }

  /** A technician brings contacts; a number that the campaign has had is left as it is. */
  private bring(name: string, count: number): void {
    const from = this.brought.get(name) ?? 0;
    this.brought.set(name, from + count);
    const [campaign] = CAMPAIGNS[name] ?? [];
    if (campaign === undefined) return;
    for (let n = from; n < from + count; n += 1) {
      const one = contactAt(name, n);
      const { zones } = COUNTRIES[one.country];
      const { token, callee } = this.seal.names(one.number as E164);
      const contact = {
        ...{ campaign: name, token, callee, sealed: this.seal.seal(one.number, token), language: 'en' as const },
        ...{ place: { country: one.country, zones }, priority: n % 3 },
        times: one.earliest === undefined ? {} : { earliest: one.earliest, latest: one.latest ?? '24:00' },
      };
      let isNew = false;
      this.store.outside(() => {
        isNew = this.store.tables.addContacts([contact]) === 1;
      });
      if (!isNew) continue;
      const ref = this.watch.contacts.size + 1;
      this.watch.contacts.set(ref, { ...one, token, zones, most: campaign.attempts.most, attempts: 0, isOver: false });
    }
  }
}
