import type { TransportName } from '../config.js';

/** The lines that the server says to an application, as drachtio 0.9 writes them. */

export interface Place {
  readonly address: string;
  readonly port: number;
}

/** A message from the network. `local` is told of requests that begin something, so that the application knows which listener they came in on. */
export function fromNetwork(
  message: string,
  transport: TransportName | '',
  peer: Place,
  time: string,
  transactionId: string,
  dialogId: string,
  local?: Place,
): string {
  const where = local === undefined ? '' : `${local.address}|${local.port}|`;
  return (
    `sip|network|${message.length}|${transport}|${peer.address}|${peer.port}|${time}|${transactionId}|${dialogId}|` +
    `${where}\r\n${message}`
  );
}

/** An answer that nobody sent: the server made it up because none came (408) or none could come (503). */
export function madeUp(
  message: string,
  transport: TransportName,
  time: string,
  transactionId: string,
  dialogId: string,
): string {
  return `sip|network|0|${transport}||0|${time}|${transactionId}|${dialogId}|\r\n${message}`;
}

/** A request that the server sent of its own accord. */
export function unsolicited(
  message: string,
  transport: TransportName,
  local: Place,
  time: string,
  dialogId: string,
): string {
  return (
    `sip|application|${message.length}|${transport}|${local.address}|${local.port}|${time}|unsolicited|${dialogId}|` +
    `\r\n${message}`
  );
}

/** The order was carried out, and this is what was sent for it. `dialog` is undefined for requests, which have no field for it. */
export function sentFor(
  orderId: string,
  message: string,
  transport: TransportName | '',
  place: Place,
  time: string,
  transactionId: string,
  dialog: string | undefined,
): string {
  const dialogField = dialog === undefined ? '' : `${dialog}||`;
  return (
    `response|${orderId}|OK|application|${message.length}|${transport}|${place.address}|${place.port}|${time}|` +
    `${transactionId}|${dialogField}Msg sent:|\r\n${message}`
  );
}

/** An answer to a request that is being proxied; more may follow. */
export function proxied(
  orderId: string,
  message: string,
  transport: TransportName,
  peer: Place,
  time: string,
  transactionId: string,
): string {
  return (
    `response|${orderId}|OK|network|${message.length}|${transport}|${peer.address}|${peer.port}|${time}|${transactionId}||` +
    `continue|\r\n${message}`
  );
}

/** Nothing more will be heard of a request that was proxied. */
export function proxyDone(orderId: string): string {
  return `response|${orderId}|OK|done`;
}

/** The order was refused. */
export function refused(orderId: string, why: string): string {
  return `response|${orderId}|NOK|${why}`;
}

export function accepted(orderId: string): string {
  return `response|${orderId}|OK`;
}
