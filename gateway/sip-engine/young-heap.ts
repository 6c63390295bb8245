/**
 * Imported first by the engine's program. The garbage of a SIP message is small and dies at once, so the young generation
 * is swept by this thread alone: helper threads would take the other core from whoever has the next message.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--single-threaded-gc');
