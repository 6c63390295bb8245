/**
 * What the journal keeps of a contact's trunk leg: its URIs, which hold the number, sealed as one text (AES-256-GCM, bound to the
 * dialog). What a BYE that is owed needs is all there again once the seal is opened; the disk alone tells nothing.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { LegDialog } from '../calls/record.js';
import { SealBroken } from './number-seal.js';

const NONCE = 12;
const TAG = 16;

type Uris = Pick<LegDialog, 'localUri' | 'remoteUri' | 'remoteTarget' | 'routeSet'>;

export class DialogSeal {
  readonly #key: Buffer;

  /** @param key 32 bytes, of the data folder. */
  constructor(key: Buffer) {
    this.#key = Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'balise dialog seal', 32));
  }

  /** The dialog with its URIs sealed. Harmless for one that is sealed already: it is sealed as it is. */
  seal(dialog: LegDialog): LegDialog {
    const { localUri, remoteUri, remoteTarget, routeSet } = dialog;
    const uris: Uris = { localUri, remoteUri, remoteTarget, routeSet };
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(Buffer.from(dialog.dialogId));
    const body = Buffer.concat([cipher.update(JSON.stringify(uris), 'utf8'), cipher.final()]);
    const sealed = Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url');
    return { ...dialog, localUri: '', remoteUri: '', remoteTarget: sealed, routeSet: [] };
  }

  /** The dialog as it was. Throws `SealBroken` when it was changed, or sealed under another key. */
  open(dialog: LegDialog): LegDialog {
    const sealed = Buffer.from(dialog.remoteTarget, 'base64url');
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, NONCE));
      decipher.setAAD(Buffer.from(dialog.dialogId));
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
      const body = decipher.update(sealed.subarray(NONCE, sealed.length - TAG));
      const uris = JSON.parse(Buffer.concat([body, decipher.final()]).toString('utf8')) as Uris;
      return { ...dialog, ...uris };
    } catch {
      throw new SealBroken(`the dialog ${dialog.dialogId} does not open: it was changed, or the key is another`);
    }
  }
}
