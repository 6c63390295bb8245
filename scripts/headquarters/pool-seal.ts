import { keyIn } from '../../gateway/store/contact-key.js';
import { NumberSeal } from '../../gateway/work/number-seal.js';

/** What numbers are sealed under in headquarters' database; the key is made at its first use. Throws when the file is no key. */
export function poolSeal(file: string): NumberSeal {
  return new NumberSeal(keyIn(file), 'headquarters');
}
