/** Installs the tests' peers from Debian, for `npm test`, which does its own part meanwhile. Exit status: how many are still missing. */
import { installPeers } from './set-up.mjs';

process.exitCode = installPeers().length;
