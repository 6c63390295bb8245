import { printedName } from './header-names.js';
import type { SipMessage } from './message.js';

/** The start line of a parsed message. */
export function startLine(message: SipMessage): string {
  return message.isRequest
    ? `${message.method} ${message.uri} ${message.version}`
    : `${message.version} ${message.status} ${message.reason}`;
}

/** Prints a message for an application, from its parts: canonical names in their registered form, Content-Length by the body. */
export function printMessage(message: SipMessage): string {
  let text = `${startLine(message)}\r\n`;
  const { names, written, values } = message;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] ?? '';
    // A reader that undoes the escapes would take such a name for another's (RFC 4475 §3.1.1.5).
    if (name !== 'content-length' && !name.includes('%'))
      text += `${printedName(name, written[i] ?? name)}: ${values[i]}\r\n`;
  }
  return `${text}Content-Length: ${message.body.length}\r\n\r\n${message.body}`;
}

/** The message as it came, with another topmost Via value (the one that is stamped with where it came from). */
export function printWithVia(message: SipMessage, topVia: string): string {
  if (message.clean && message.viaStart >= 0) {
    return message.raw.slice(0, message.viaStart) + topVia + message.raw.slice(message.viaEnd);
  }
  const at = message.names.indexOf('via');
  if (at < 0) return printMessage(message);
  const whole = message.values[at] ?? '';
  const comma = whole.indexOf(',');
  message.values[at] = comma < 0 ? topVia : topVia + whole.slice(comma);
  const text = printMessage(message);
  message.values[at] = whole;
  return text;
}
