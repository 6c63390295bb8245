/** The gateway as a service of systemd: ready, alive and stopping, as its planes are. */
import type { Logger } from 'pino';
import { ServiceManager } from '../device-agents/service-manager.js';
import { systemClock } from './clock/system-clock.js';

/** What is seen of a running gateway from outside. */
export interface GatewayHealth {
  /** The processes that the gateway runs for its planes. */
  readonly planes: readonly { readonly name: string; readonly state: 'up' | 'down' }[];
  readonly isBusUp: boolean;
  readonly calls: number;
}

/** The planes whose loss ends every call. An agent is not among them: a board that is pulled out is no reason to begin anew. */
const VITAL: ReadonlySet<string> = new Set(['engine', 'relay']);

const upOrDown = (isUp: boolean): string => (isUp ? 'up' : 'down');

/** The gateway does its work: its bus and every process of its own without which no call stands are up. */
export function isWell({ planes, isBusUp }: GatewayHealth): boolean {
  return isBusUp && planes.every(({ name, state }) => !VITAL.has(name) || state === 'up');
}

/** One line of it, for `systemctl status`. */
export function statusOf({ planes, isBusUp, calls }: GatewayHealth): string {
  const parts = [...planes.map(({ name, state }) => `${name} ${state}`), `bus ${upOrDown(isBusUp)}`];
  return `${calls} ${calls === 1 ? 'call' : 'calls'}; ${parts.join(', ')}`;
}

/**
 * What tells systemd of a gateway (sd_notify(3)); where systemd did not start it, nobody is told. A plane that dies comes
 * back within 5 s, so the watchdog's time must be longer than twice that: the unit has 30 s.
 */
export function serviceOf(gateway: { health(): GatewayHealth }, log: Logger): ServiceManager {
  return new ServiceManager({
    clock: systemClock(() => ({ trusted: true })),
    isWell: () => isWell(gateway.health()),
    status: () => statusOf(gateway.health()),
    onFault: (error) => log.warn({ event: 'service-manager.not-told', err: error }),
  });
}
