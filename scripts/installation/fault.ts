import type { ExitCode } from '../cli/command.js';

/** Something that keeps the installer from its work; the message says what, and what to do. */
export class InstallFault extends Error {
  override readonly name = 'InstallFault';
  constructor(
    message: string,
    readonly exitCode: ExitCode,
  ) {
    super(message);
  }
}
