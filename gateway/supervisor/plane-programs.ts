import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EarlyProgram } from './early-planes.js';
import { LONE_SWEEPER, STEADY_HEAP } from './node-flags.js';

/** The compiled rooms stand beside this file's. */
const rooms = dirname(dirname(fileURLToPath(import.meta.url)));

/** The SIP engine's program. */
export const ENGINE: EarlyProgram = { script: join(rooms, 'sip-engine', 'main.js'), nodeFlags: LONE_SWEEPER };
/** The media relay's program. */
export const RELAY: EarlyProgram = { script: join(rooms, 'media', 'relay', 'main.js'), nodeFlags: STEADY_HEAP };
