import type {
  AgentHealthMessage,
  KeyMessage,
  LeaseMessage,
  LineStateMessage,
  ShowMessage,
} from '../../config/schema/types.generated.js';
import type { LeaseOrder } from './lease-book.js';

/** What the last will of an agent says, and its own goodbye. */
export const GONE = 'gone';
export const STATE_FILTER = 'bus/line/+/state';
export const KEY_FILTER = 'bus/line/+/key';
export const HEALTH_FILTER = 'bus/agent/+/health';

const LONGEST_STATE = 1_024;
const INSTANT = /^[0-9]{1,20}$/;

/** The middle of `bus/line/<handset>/state` or `bus/agent/<id>/health`. */
export function subjectOf(topic: string): string {
  return topic.split('/')[2] ?? '';
}

export function leaseTopic(handset: string): string {
  return `bus/line/${handset}/lease`;
}

export function leaseText(order: LeaseOrder, boot: string, confirm: boolean): string {
  const message: LeaseMessage = {
    connected: order.connected,
    forMs: order.forMs,
    sentNs: `${order.sentNs}`,
    untilNs: `${order.untilNs}`,
    boot,
    ...(confirm ? { confirm } : {}),
  };
  return JSON.stringify(message);
}

function parsed(payload: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const isInstant = (value: unknown): value is string => typeof value === 'string' && INSTANT.test(value);
const isOneOf = (value: unknown, choices: readonly string[]): boolean => choices.includes(value as string);

/** The state in a payload, or undefined when it is not one (`line-state.schema.json`). */
export function readState(payload: Buffer): LineStateMessage | undefined {
  if (payload.length > LONGEST_STATE) return undefined;
  const value = parsed(payload);
  if (value === undefined) return undefined;
  const { hook, relay, tamper, at, atNs, leaseNs } = value;
  if (!isOneOf(hook, ['on', 'off', 'unknown']) || !isOneOf(relay, ['connected', 'open', 'unknown'])) return undefined;
  if (typeof tamper !== 'boolean' || typeof at !== 'string' || !isInstant(atNs) || !isInstant(leaseNs))
    return undefined;
  return value as unknown as LineStateMessage;
}

export function showTopic(handset: string): string {
  return `bus/line/${handset}/show`;
}

export function showText(show: ShowMessage): string {
  return JSON.stringify(show);
}

/** The key in a payload, or undefined when it is none (`line-key.schema.json`). */
export function readKey(payload: Buffer): KeyMessage | undefined {
  if (payload.length > LONGEST_STATE) return undefined;
  const value = parsed(payload);
  if (value === undefined || typeof value.key !== 'string' || !/^[0-9*#]$/.test(value.key)) return undefined;
  if (typeof value.at !== 'string' || !isInstant(value.atNs)) return undefined;
  return value as unknown as KeyMessage;
}

/** The health in a payload, `gone`, or undefined when it is neither (`agent-health.schema.json`). */
export function readHealth(payload: Buffer): AgentHealthMessage | typeof GONE | undefined {
  if (payload.length === GONE.length && payload.toString('latin1') === GONE) return GONE;
  const value = parsed(payload);
  if (value === undefined || !isInstant(value.atNs) || !Array.isArray(value.boards)) return undefined;
  if (!isOneOf(value.port, ['open', 'lost'])) return undefined;
  const sound = value.boards.every((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return false;
    const { board, state, watchdog, panic } = entry as Record<string, unknown>;
    if (panic !== undefined && typeof panic !== 'boolean') return false;
    const isKnown = isOneOf(watchdog, ['armed', 'absent', 'mismatch', 'after-reset', 'unknown']);
    return typeof board === 'string' && isOneOf(state, ['starting', 'ok', 'lost', 'refused']) && isKnown;
  });
  return sound ? (value as unknown as AgentHealthMessage) : undefined;
}
