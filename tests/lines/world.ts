import type { AgentHealthMessage, LeaseMessage, LineStateMessage } from '../../config/schema/types.generated.js';
import type { CallEvent } from '../../gateway/calls/ports.js';
import { deadlineAt } from '../../gateway/clock/deadline.js';
import type { LineAlarm } from '../../gateway/lines/board-status.js';
import type { LineBus, LinesOptions } from '../../gateway/lines/fittings.js';
import { Lines } from '../../gateway/lines/lines.js';
import { boardId, callId, handsetId, wingId } from '../../gateway/policy/ids.js';
import { VirtualClock } from './virtual-clock.js';

export const BOOT = 'a-boot';
export const [h0, h1] = [handsetId('h0'), handsetId('h1')];
export const board = boardId('b1');
export const call = callId('call-1');

/** The line plane in virtual time, with an agent that says what the test lets it say. */
export function world(more: Partial<LinesOptions> = {}) {
  const clock = new VirtualClock();
  const receivers: { readonly filter: RegExp; readonly receive: (topic: string, payload: Buffer) => void }[] = [];
  const leases: (LeaseMessage & { readonly handset: string })[] = [];
  const bus: LineBus = {
    publish: (topic, payload) => {
      if (topic.endsWith('/show')) tellShow(topic.split('/')[2] ?? '', JSON.parse(payload));
      else leases.push({ handset: topic.split('/')[2] ?? '', ...(JSON.parse(payload) as LeaseMessage) });
    },
    subscribe: (filter, receive) => {
      receivers.push({ filter: new RegExp(`^${filter.replaceAll('+', '[^/]+')}$`), receive });
    },
  };
  let tellShow: (handset: string, show: unknown) => void = () => undefined;
  const events: CallEvent[] = [];
  const alarms: LineAlarm[] = [];
  const statuses: string[] = [];
  const hooks: string[] = [];
  const may = new Set([h0, h1]);
  const lines = new Lines({
    clock,
    bootId: BOOT,
    bus,
    sink: { request: () => undefined, event: (_call, event) => events.push(event), planeLost: () => undefined },
    boards: [{ board, agent: 'modbus-1', allowNoWatchdog: false }],
    lines: [
      { handset: h0, wing: wingId('a'), board },
      { handset: h1, wing: wingId('b'), board },
    ],
    mayCall: (handset) => may.has(handset),
    onAlarm: (alarm) => alarms.push(alarm),
    onStatus: (_board, status) => statuses.push(status),
    onHook: (handset, hook) => hooks.push(`${handset} ${hook}`),
    ...more,
  });
  const say = (topic: string, payload: string) => {
    for (const { filter, receive } of receivers) if (filter.test(topic)) receive(topic, Buffer.from(payload));
  };
  const stamp = () => ({ at: '2026-01-01T00:00:00Z', atNs: `${clock.monotonicNs()}` });
  const state = (handset: string, change: Partial<LineStateMessage> = {}) => {
    clock.go(0.001);
    const message = { hook: 'off', relay: 'connected', tamper: false, leaseNs: '0', ...stamp(), ...change };
    say(`bus/line/${handset}/state`, JSON.stringify(message));
  };
  const health = (change: Partial<AgentHealthMessage['boards'][number]> = {}) => {
    clock.go(0.001);
    const errors = { crc: 0, timeout: 0, exception: 0, answer: 0, port: 0 };
    const one = { board: 'b1', state: 'ok', rttMs: 1, polls: 1, errors, watchdog: 'armed', ...change } as const;
    const message: AgentHealthMessage = { ...stamp(), port: 'open', leasesRefused: 0, boards: [one] };
    say('bus/agent/modbus-1/health', JSON.stringify(message));
  };
  /** Time goes on, and the agent is well. */
  const live = (ms: number) => {
    for (let left = ms; left > 0; left -= 1_000) {
      clock.go(Math.min(left, 1_000));
      health();
    }
  };
  const present = () => {
    lines.start();
    state('h0');
    state('h1', { hook: 'on' });
    health();
  };
  const last = (handset: string) => leases.findLast((lease) => lease.handset === handset);
  const deadline = (ms: number) => deadlineAt(clock, clock.wall().add({ milliseconds: ms }), BOOT);
  const types = () => events.map(({ type }) => type);
  return {
    clock,
    leases,
    events,
    alarms,
    statuses,
    hooks,
    may,
    lines,
    say,
    state,
    health,
    live,
    present,
    last,
    deadline,
    types,
    onShow: (tell: typeof tellShow) => {
      tellShow = tell;
    },
  };
}
