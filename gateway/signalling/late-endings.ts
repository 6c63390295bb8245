import { isIP, isIPv6 } from 'node:net';
import type { Logger } from 'pino';
import type { LegDialog } from '../calls/record.js';
import type { EngineControl, Proof, RestoreOutcome } from '../sip-engine/control/client.js';
import type { TrunkAccount, TrunkCredentials } from './account.js';
import type { EngineConnection } from './engine-connection.js';
import { sendBye } from './leg.js';
import { type Challenging, credentialsFor } from './trunk-digest.js';
import { listenerOf } from './trunk-request.js';
import type { Violations } from './violations.js';

export interface LateEndingParts {
  readonly engine: EngineConnection;
  readonly log: Logger;
  readonly violations: Violations;
  readonly trunks: readonly TrunkAccount[];
}

/**
 * Ends legs that an earlier process left up, from what the journal knows of them. Settles when each leg answered or was
 * declared dead; rejects when there is no SIP server to do it with, or it is lost meanwhile.
 */
export async function endLate(parts: LateEndingParts, dialogs: readonly LegDialog[]): Promise<void> {
  const { engine, log, violations, trunks } = parts;
  const { control } = engine;
  if (control === undefined) return endOnRealServer(parts, dialogs);
  const all = await Promise.all(
    dialogs.map(async (dialog) => {
      const paid = await pay(control, dialog, accountOf(trunks, dialog));
      const { leg, dialogId } = dialog;
      const what = paid.ok ? { ok: true, status: paid.status } : paid;
      log[paid.ok ? 'info' : 'error']({ event: 'signalling.leg-ended-late', leg, dialog: dialogId, ...what });
      // What is left then is the session timer of the leg, which nobody refreshes any more.
      if (paid.ok && (paid.status === 401 || paid.status === 407)) {
        const detail = `a ${leg} leg of an earlier process does not believe our BYE: its session timer ends it`;
        violations.alarm({ code: 'trunk.bye-refused', detail, address: dialog.address });
      }
      return paid.ok;
    }),
  );
  // A leg that cannot be ended at all is as good as dead; one whose server went has not been asked.
  if (all.includes(false) && engine.control !== control) throw new Error('the SIP server was lost while it ended legs');
}

/** The BYE or CANCEL that is owed; where the carrier asks who we are it goes again, twice at most, with credentials. */
async function pay(
  control: EngineControl,
  dialog: LegDialog,
  account: TrunkCredentials | undefined,
): Promise<RestoreOutcome> {
  const listener = dialog.leg === 'handset' ? 'cell' : listenerOf(dialog);
  const restore = (attempt: number, proof?: Proof): Promise<RestoreOutcome> =>
    control.restore({ ...dialog, cseq: dialog.cseq + attempt, listener }, proof);
  let paid = await restore(0);
  for (const attempt of [1, 2]) {
    if (!paid.ok || paid.challenged === undefined) break;
    const asked = { method: 'BYE', uri: paid.challenged.uri };
    const proof = credentialsFor(challenging(paid.status, paid.challenged), asked, account, attempt === 1);
    if (proof === undefined) break;
    paid = await restore(attempt, proof);
  }
  return paid;
}

const challenging = (status: number, { header, value }: { header: string; value: string }): Challenging => ({
  status,
  has: (name) => name === header.toLowerCase() && value !== '',
  get: () => value,
});

/** Our account at the carrier of a leg: the one that was dialled, or the one from whose networks it spoke. */
function accountOf(
  trunks: readonly TrunkAccount[],
  { leg, remoteUri, address }: LegDialog,
): TrunkCredentials | undefined {
  if (leg !== 'trunk') return undefined;
  const host = /@(\[[^\]]+\]|[^:;>]+)/.exec(remoteUri)?.[1]?.toLowerCase();
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const theirs =
    trunks.find((trunk) => trunk.host.toLowerCase() === host) ??
    trunks.find(({ network }) => isIP(address) !== 0 && network?.check(address, family) === true);
  return theirs?.auth;
}

/** A real drachtio server has outlived us, and knows its dialogs by id. */
async function endOnRealServer(
  { engine: { srf }, trunks }: LateEndingParts,
  dialogs: readonly LegDialog[],
): Promise<void> {
  if (srf === undefined) throw new Error('no SIP server to end the legs with');
  await Promise.all(
    dialogs.map(
      (dialog) =>
        new Promise<void>((resolve) => {
          sendBye({ srf, dialog, cause: 'gateway-restarted', auth: accountOf(trunks, dialog) }, () => resolve());
        }),
    ),
  );
}
