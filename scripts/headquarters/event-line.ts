import type { EventEnvelope } from '../../config/schema/types.generated.js';
import type { ReceiverFault } from './receiver.js';

type Data = Readonly<Record<string, unknown>>;

/** One line for a terminal about an event: when, where, what, and what decided. */
export function eventLine(event: EventEnvelope, gateway: string): string {
  const mark = event.kind === 'alarm' ? 'ALARM ' : '';
  return `${event.time}  ${gateway}  #${event.sequence}  ${mark}${event.type}  ${told(event.data)}`.trimEnd();
}

/** One line about a retained topic or an acknowledgement. */
export function stateLine(topic: string, message: Data, gateway: string): string {
  const when = typeof message.at === 'string' ? message.at : '-';
  return `${when}  ${gateway}  ${topic}  ${told(message)}`.trimEnd();
}

/** One line about a fault of a stream. */
export function faultLine(fault: ReceiverFault, gateway: string): string {
  switch (fault.fault) {
    case 'gap':
      return `FAULT  ${gateway}  events ${fault.from} to ${fault.to} are missing`;
    case 'content':
      return `FAULT  ${gateway}  event ${fault.sequence} does not have the hash that it says`;
    case 'link':
      return `FAULT  ${gateway}  event ${fault.sequence} is not linked to the one beside it`;
    case 'fork':
      return `FAULT  ${gateway}  a second event came under the number ${fault.sequence}`;
    case 'malformed':
      return `FAULT  ${gateway}  a message was not believed: ${fault.detail}`;
  }
}

/** Members that are plain values, in the order in which they stand; what is nested is for programs. */
function told(data: Data): string {
  return Object.entries(data)
    .filter(([name, value]) => name !== 'at' && ['string', 'number', 'boolean'].includes(typeof value))
    .map(([name, value]) => `${name}=${/\s/.test(String(value)) ? JSON.stringify(value) : String(value)}`)
    .join(' ');
}
