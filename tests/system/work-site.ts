/** A site at which people work from cells, and a handset at its desk: what the system tests of work share. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Campaign, Language, Person } from '../../config/schema/types.generated.js';
import { readBootId, systemClock } from '../../gateway/clock/system-clock.js';
import { OWN_SOUNDS } from '../../gateway/media/own-sounds.js';
import type { E164 } from '../../gateway/policy/ids.js';
import { contactKey } from '../../gateway/store/contact-key.js';
import { openStore } from '../../gateway/store/open.js';
import type { Store } from '../../gateway/store/store.js';
import { campaignPiece } from '../../gateway/work/campaign-announcement.js';
import { NumberSeal } from '../../gateway/work/number-seal.js';
import type { WorkEvent } from '../../gateway/work/pay.js';
import { hashPin } from '../../gateway/work/pin.js';
import { type Statement, statementOf } from '../../gateway/work/statement.js';
import type { GatewayProcess } from '../peers/gateway-process.js';
import { Keypad } from '../peers/keypad.js';
import { handsetPeer } from '../peers/scenario.js';
import type { SeenMessage, Sipp } from '../peers/sipp.js';
import { makeSite, profile, type SiteParts } from '../peers/site.js';
import { silent } from '../store/samples.js';
import { aCampaign } from '../work/samples.js';

export const CODE = '3051';
export const PIN = '4817';

export interface Worker extends Partial<Omit<Person, 'pin'>> {
  readonly id: string;
}

export interface WorkParts {
  readonly site?: SiteParts;
  readonly campaigns?: readonly Partial<Campaign>[];
  readonly people?: readonly Worker[];
  readonly contacts?: readonly {
    readonly number: string;
    readonly campaign?: string;
    readonly language?: Language;
    readonly priority?: number;
    /** Where it may be; London where nothing is said. */
    readonly zones?: readonly string[];
    readonly isMystery?: boolean;
  }[];
}

/** The store of a site, as another process of the same machine has it. */
export function withStore<T>(siteFolder: string, run: (store: Store) => T): T {
  const clock = systemClock(() => ({ trusted: true }));
  const folder = join(siteFolder, 'data');
  const store = openStore({ folder, clock, gatewayId: 'test/gw-1', bootId: readBootId(), log: silent });
  try {
    return run(store);
  } finally {
    store.close();
  }
}

/** What handsets at which people work may do beside it: one code, and no number. */
export const workProfile = (more: Record<string, unknown> = {}) =>
  profile({ signOnCode: '*1', tokens: { '01': '+442079460001' }, tokenOnly: true, ...more });

/** A fifth of a second of silence where callees are told for whom they are called: without its sound a campaign calls nobody. */
export function keepAnnouncement(siteFolder: string, { id, languages }: Campaign): void {
  for (const language of languages) {
    const folder = join(siteFolder, 'data', OWN_SOUNDS, language);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${campaignPiece(id)}.alaw`), Buffer.alloc(1_600, 0xd5));
  }
}

/** A site with campaigns, people and contacts, as `balise campaign` and `balise person` leave them. Every PIN is `PIN`. */
export async function workSite(t: Test, trunkPort: number, parts: WorkParts): Promise<string> {
  const { campaigns = [{}], people = [{ id: 'p-1' }], contacts = [] } = parts;
  const siteFolder = makeSite(t, trunkPort, { profiles: [workProfile()], ...parts.site });
  const pin = await hashPin(PIN);
  withStore(siteFolder, (store) => {
    const seal = new NumberSeal(contactKey(join(siteFolder, 'data')));
    store.work.isKey(seal.fingerprint());
    for (const campaign of campaigns.map(aCampaign)) {
      store.work.putCampaign(campaign);
      keepAnnouncement(siteFolder, campaign);
    }
    const usual = { code: CODE, languages: ['nl'] as Language[], handsets: ['a-101'], campaigns: ['survey'] };
    for (const person of people) store.work.putPerson({ ...usual, suspended: false, ...person, pin });
    store.work.addContacts(
      contacts.map(({ number, campaign = 'survey', language = 'nl', priority = 5, zones, isMystery }) => {
        const { callee, token } = seal.names(number as E164);
        const place = { country: 'GB', zones: zones ?? ['Europe/London'] };
        const sealed = seal.seal(number as E164, token, isMystery);
        return { campaign, token, callee, sealed, language, place, times: {}, priority };
      }),
    );
  });
  return siteFolder;
}

export const audioPort = ({ text }: SeenMessage): number => Number(/^m=audio (\d+)/m.exec(text)?.[1]);

/** A handset in a cell, at the desk: its SIP, its ear, its keys, and where they go now. */
export class CellPeer {
  #described = 0;
  /** Where the handset speaks. */
  port = 0;

  constructor(
    readonly near: Sipp,
    readonly keypad: Keypad,
  ) {}

  /** Dials the sign-on code, and settles when the desk has been heard. */
  static async dials(t: Test, running: GatewayProcess, user = 'a101'): Promise<CellPeer> {
    const keypad = await Keypad.open(t);
    const peer = { scenario: 'handset-works', user, dialled: '*1', port: running.port('cell'), rtpPort: keypad.port };
    const cell = new CellPeer(await handsetPeer(t, peer), keypad);
    await cell.turned();
    await keypad.hears(20);
    return cell;
  }

  press(keys: string): void {
    this.keypad.press(keys, this.port);
  }

  /** The next description that the handset gets: the desk's, a contact's, the desk's again. Gives its port. */
  async turned(): Promise<number> {
    const isOne = ({ direction, kind, text }: SeenMessage): boolean =>
      direction === 'received' &&
      (kind === '200' || kind === 'INVITE') &&
      /^m=audio [1-9]/m.test(text) &&
      !/^a=inactive/m.test(text);
    // A message that was sent again is not another one.
    const all = (): readonly SeenMessage[] => {
      const seen = new Map<string, SeenMessage>();
      for (const message of this.near.messages.filter(isOne)) {
        const key = `${message.kind} ${/^CSeq: .*$/im.exec(message.text)?.[0]}`;
        if (!seen.has(key)) seen.set(key, message);
      }
      return [...seen.values()];
    };
    const n = this.#described++;
    await this.near.saw(() => all()[n] !== undefined);
    const found = all()[n];
    if (found === undefined) throw new Error(`no description ${n}`);
    this.port = audioPort(found);
    return this.port;
  }

  /** Everything that the handset was sent: SIP and every packet. */
  get captured(): Buffer {
    return Buffer.concat([Buffer.from(this.near.messages.map(({ text }) => text).join('\n')), ...this.keypad.heard]);
  }
}

export const workEvents = (siteFolder: string, person = 'p-1'): readonly WorkEvent[] =>
  withStore(siteFolder, (store) => [...store.work.workEvents(person, 0, Number.MAX_SAFE_INTEGER)]);

/** What somebody's events of a month come to, and the time of one activity, milliseconds. */
export function statementFor(siteFolder: string, month: string, person = 'p-1') {
  const of = { gateway: 'test/gw-1', person, month, zone: 'Europe/London' };
  const statement: Statement = statementOf(workEvents(siteFolder, person), of);
  const msOf = (activity: string): number =>
    statement.lines.filter((line) => line.activity === activity).reduce((sum, { ms }) => sum + ms, 0);
  return { statement, msOf };
}
