import type Srf from 'drachtio-srf';

/** What drachtio-srf keeps of a dialog's re-INVITEs: those that are on their way, and who waits for them. */
interface InProgress {
  count: number;
  readonly admitOne: (() => void)[];
}

/**
 * Offers this description in a re-INVITE; settles with the answer, or rejects with the status of the refusal (RFC 3261 §14.1).
 * drachtio-srf 5 counts one that was refused as still on its way, so that every later one would wait for ever: it is told.
 */
export async function reinvite(dialog: Srf.Dialog, sdp: string): Promise<string> {
  try {
    return await dialog.modify(sdp);
  } catch (fault) {
    const { _reinvitesInProgress: inProgress } = dialog as Srf.Dialog & { _reinvitesInProgress?: InProgress };
    // What was never sent it has taken off the count itself.
    const isRefused = typeof (fault as { status?: unknown } | null)?.status === 'number';
    if (isRefused && inProgress !== undefined && inProgress.count > 0) {
      inProgress.count--;
      const next = inProgress.admitOne.shift();
      if (next !== undefined) setImmediate(next);
    }
    throw fault;
  }
}
