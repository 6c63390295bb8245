import type { ControlOrder, LostDialog, Proof } from './protocol.js';

type Fields = Readonly<Record<string, unknown>>;

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value);

function isLostDialog(value: unknown): value is LostDialog {
  if (typeof value !== 'object' || value === null) return false;
  const dialog = value as Fields;
  const texts = [
    'dialogId',
    'callId',
    'localUri',
    'localTag',
    'remoteUri',
    'remoteTag',
    'remoteTarget',
    'branch',
    'address',
  ];
  return (
    (dialog.state === 'early' || dialog.state === 'confirmed') &&
    texts.every((name) => isText(dialog[name]) && !/[\r\n]/.test(dialog[name])) &&
    Array.isArray(dialog.routeSet) &&
    dialog.routeSet.every((route) => isText(route) && !/[\r\n]/.test(route)) &&
    isNumber(dialog.cseq) &&
    isNumber(dialog.port) &&
    isText(dialog.transport) &&
    (dialog.listener === undefined || isText(dialog.listener))
  );
}

function isProof(value: unknown): value is Proof {
  if (typeof value !== 'object' || value === null) return false;
  const { header, value: text } = value as Fields;
  return (header === 'Authorization' || header === 'Proxy-Authorization') && isText(text) && !/[\r\n]/.test(text);
}

function readRestore({ id, dialog, proof }: Fields): ControlOrder | undefined {
  if (!isNumber(id) || !isLostDialog(dialog)) return undefined;
  if (proof === undefined) return { do: 'restore', id, dialog };
  return isProof(proof) ? { do: 'restore', id, dialog, proof } : undefined;
}

/** Reads one line; undefined when it is no order. */
export function readOrder(line: string): ControlOrder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const order = value as Fields;
  switch (order.do) {
    case 'hello':
      return isText(order.secret)
        ? { do: 'hello', secret: order.secret, observer: order.observer === true }
        : undefined;
    case 'beat':
      return { do: 'beat' };
    case 'deadline': {
      const { id, dialog, atNs } = order;
      const sound = isNumber(id) && isText(dialog) && isText(atNs) && /^\d{1,19}$/.test(atNs);
      return sound ? { do: 'deadline', id, dialog, atNs } : undefined;
    }
    case 'restore':
      return readRestore(order);
    case 'end-all':
      return isNumber(order.id) && isText(order.reason)
        ? { do: 'end-all', id: order.id, reason: order.reason }
        : undefined;
    case 'status':
    case 'retire':
      return isNumber(order.id) ? { do: order.do, id: order.id } : undefined;
    default:
      return undefined;
  }
}
