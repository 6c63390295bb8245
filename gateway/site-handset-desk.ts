import type { Handset } from '../config/schema/types.generated.js';
import { readPhoneModels } from './config/phones.js';
import type { SiteFiles } from './config/site.js';
import type { HandsetEdited, PhoneModelView, PhonePlace } from './console/api/handset-edits.js';
import type { HandsetPage, LinePlace } from './console/api/handsets.js';
import { ConsoleFault } from './console/fault.js';
import type { Change, HandsetOrder } from './console/source.js';
import { HandsetEdit, type RawPhone, type WantedHandset } from './editing/handset-edit.js';
import { type EditOutcome, editHandsets } from './editing/site-edit.js';
import { SitePhones } from './editing/site-phones.js';
import { readMac } from './provisioning/device.js';
import { asConsoleFault, checkTaken, handOf } from './site-edit-answers.js';

/** The handsets of the gateway that runs. */
export interface RunningHandsets {
  /** Has the gateway take the site's files as they are, and settles when it has answered. */
  reload(): Promise<void>;
  /** The ports of SIP on the cell side, and of provisioning where there is some: as they are listened on. */
  readonly sipPort: number;
  readonly port: number | undefined;
}

/** Edits of the site's handsets by people at the console: the same as by `balise handset`, in the running gateway. */
export class HandsetDesk {
  #last: Promise<unknown> = Promise.resolve();
  #phones: { readonly of: SiteFiles['handsets']; readonly phones: SitePhones } | undefined;

  constructor(
    private readonly files: SiteFiles,
    private readonly running: RunningHandsets,
  ) {}

  /** The phone of a handset, and how far it is; undefined for a handset that was given none. */
  phoneOf(handset: Handset): HandsetPage['phone'] {
    const { phone } = handset;
    if (phone === undefined) return undefined;
    const { handsets } = this.files;
    // The templates are read anew only when the handsets are.
    if (this.#phones?.of !== handsets) this.#phones = { of: handsets, phones: new SitePhones(this.files) };
    const { model, mac, port } = phone;
    return { model, mac, port: port ?? 1, ...this.#phones.phones.stateOf(handset) };
  }

  models(): readonly PhoneModelView[] {
    return [...readPhoneModels()].map(([model, handsets]) => ({ model, handsets })).sort(byModel);
  }

  /** One edit after another. Rejects with a `ConsoleFault`. */
  edit(order: HandsetOrder, by: Pick<Change, 'who' | 'role' | 'from'>): Promise<HandsetEdited> {
    const edited = this.#last.then(() => this.#editOnce(order, by));
    this.#last = edited.catch(() => undefined);
    return edited;
  }

  async #editOnce(order: HandsetOrder, by: Pick<Change, 'who' | 'role' | 'from'>): Promise<HandsetEdited> {
    const id = order.do === 'add' ? order.handset.id : order.id;
    const hand = {
      ...handOf(by, `handset ${order.do} ${id}`, this.running),
      ...('reason' in order && order.reason !== undefined ? { reason: order.reason } : {}),
    };
    let made: HandsetEdit | undefined;
    let outcome: EditOutcome;
    try {
      outcome = await editHandsets(this.files.folder, hand, (handsets, site) => {
        made = new HandsetEdit(handsets, site);
        apply(made, order);
        return made.finished();
      });
    } catch (fault) {
      throw asConsoleFault(fault);
    }
    checkTaken(outcome);
    const { changes, remarks, site } = outcome;
    const phones = new SitePhones(site, { sip: this.running.sipPort, provisioning: this.running.port });
    return {
      handset: id,
      changes: changes.map(({ handset, what, fields }) => ({
        handset,
        what,
        ...(fields === undefined ? {} : { fields }),
      })),
      remarks,
      armed: (made?.armedMacs ?? []).map((mac) => phones.armed(mac)),
      isServing: this.running.port !== undefined,
    };
  }
}

const byModel = (a: PhoneModelView, b: PhoneModelView): number => (a.model < b.model ? -1 : 1);

function apply(edit: HandsetEdit, order: HandsetOrder): void {
  switch (order.do) {
    case 'add':
      edit.add(wantedOf(order.handset.id, order.handset));
      break;
    case 'change': {
      const { line, ...rest } = order.change;
      edit.change(wantedOf(order.id, { ...rest, ...(line ? { line } : {}) }));
      if (line === null) edit.unwire(order.id);
      break;
    }
    case 'remove':
      edit.remove(order.id);
      break;
    case 'disable':
    case 'enable':
      edit.change({ id: order.id, enabled: order.do === 'enable' });
      break;
    case 'replace':
      edit.change({ id: order.id, phone: replacement(edit.phoneOf(order.id), order) });
      break;
    case 'provision':
      edit.provision(order.id, order.how.rotate === true, order.how.newToken === true);
  }
}

/** The phone that comes: in all that is not said, as the one that goes. */
function replacement(
  before: Partial<PhonePlace> | undefined,
  { id, phone }: Extract<HandsetOrder, { do: 'replace' }>,
): RawPhone {
  const { model = before?.model, mac, port = before?.port ?? 1 } = phone;
  if (model !== undefined) return phoneOf({ model, mac, port });
  throw new ConsoleFault(409, 'handset.no-phone', `${id} has no phone: say which model it is`);
}

/** A handset as the files have it, of what the console's form says of it. */
function wantedOf(
  id: string,
  {
    line,
    phone,
    language,
    wing,
    profile,
    user,
    enabled,
  }: Omit<Partial<Extract<HandsetOrder, { do: 'add' }>['handset']>, 'id'>,
): WantedHandset {
  return {
    id,
    ...(wing !== undefined && { wing }),
    ...(profile !== undefined && { profile }),
    ...(user !== undefined && { user }),
    // The site's own check knows the languages.
    ...(language !== undefined && { language: language as NonNullable<WantedHandset['language']> }),
    ...(enabled !== undefined && { enabled }),
    ...(line !== undefined && { line: wireOf(line) }),
    ...(phone !== undefined && { phone: phoneOf(phone) }),
  };
}

const wireOf = ({ board, channel, hook }: LinePlace) => ({ board, relay: channel, hook });

function phoneOf({ model, mac, port = 1 }: PhonePlace): RawPhone {
  const address = readMac(mac);
  if (address !== undefined) return { model, mac: address, port };
  throw new ConsoleFault(400, 'form', `body/phone/mac: expected 12 hexadecimal digits, found ${JSON.stringify(mac)}`);
}
