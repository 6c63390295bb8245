import type { ControlOrder, LostDialog } from './protocol.js';

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
      return isNumber(order.id) && isLostDialog(order.dialog)
        ? { do: 'restore', id: order.id, dialog: order.dialog }
        : undefined;
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
