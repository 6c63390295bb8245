/** Builds the console's pages, when what they are made of has changed: the second half of `npm run build`. */
import { buildConsole } from './set-up.mjs';

buildConsole();
