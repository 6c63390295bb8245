import type Srf from 'drachtio-srf';

/** The least digits in which two numbers must agree to be one, where one is written in a national form. */
const FEWEST_DIGITS = 6;

/**
 * Whether a message of the carrier says that the call goes, or went, to another than it was placed to (RFC 3261 §21.1.3, RFC
 * 5806, RFC 7044). What cannot be read, or hides the number, is taken for a redirection.
 */
export function showsRedirection(message: Srf.SipMessage & { readonly status?: number }, number: string): boolean {
  if (message.status === 181 || message.has('diversion')) return true;
  return message.has('history-info') && !staysAt(message.get('history-info'), number);
}

/** Whether every entry of a History-Info is the number that was dialled. */
function staysAt(history: string, number: string): boolean {
  const uris = [...history.matchAll(/<([^>]*)>/g)].map(([, uri = '']) => uri);
  return uris.length > 0 && uris.every((uri) => isNumber(uri, number));
}

function isNumber(uri: string, number: string): boolean {
  // A cause says why the call left for this target (RFC 4458, RFC 7044 §5.4): it was elsewhere before.
  if (/;\s*cause\s*=/i.test(uri)) return false;
  const user = /^(?:sips?:([^@;?]+)@|tel:([^;?]+))/i.exec(uri);
  const digits = (user?.[1] ?? user?.[2] ?? '').replace(/[\s().-]/g, '');
  if (!/^\+?\d+$/.test(digits)) return false;
  const bare = digits.replace(/^\+?0*/, '');
  return bare.length >= FEWEST_DIGITS && number.endsWith(bare);
}
