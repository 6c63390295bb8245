import { type FileHandle, open } from 'node:fs/promises';

/** Loads what seals, ahead of the first recording, which would lose its beginning to it; a site that records nothing does without. */
export function loadAge(): Promise<typeof import('age-encryption')> {
  return import('age-encryption');
}

/**
 * A file that is sealed with age (age-encryption.org/v1) to a public key as it is written: nothing of it is ever on the disk
 * in clear, and nobody here can open it.
 */
export class SealedFile {
  readonly #file: FileHandle;
  readonly #in: WritableStreamDefaultWriter<Uint8Array>;
  readonly #written: Promise<void>;

  private constructor(file: FileHandle, input: WritableStreamDefaultWriter<Uint8Array>, written: Promise<void>) {
    this.#file = file;
    this.#in = input;
    this.#written = written;
    // Whoever closes the file hears of it; until then it is nobody's unhandled rejection.
    written.catch(() => undefined);
  }

  /** Makes the file; it must not be there. `recipient`: age1…. Rejects when either will not do. */
  static async create(path: string, recipient: string): Promise<SealedFile> {
    const { Encrypter } = await loadAge();
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const sealed = await encrypter.encrypt(readable);
    const file = await open(path, 'wx', 0o600);
    const written = (async () => {
      // Whole: of what it is given to write, a disk that is nearly full may take a part.
      for await (const chunk of sealed) await file.appendFile(chunk);
    })();
    return new SealedFile(file, writable.getWriter(), written);
  }

  /** Settles when the bytes are on their way to the disk. Rejects when the disk takes no more. */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    await Promise.race([this.#in.write(bytes), this.#written]);
  }

  /** The last piece is sealed and all of it is on the disk. Rejects with what went wrong in between. */
  async close(): Promise<void> {
    try {
      await Promise.race([this.#in.close(), this.#written]);
      await this.#written;
      await this.#file.sync();
    } finally {
      await this.#file.close();
    }
  }
}
