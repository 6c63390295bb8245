/** What `--check` of the modbus-line agent prints: the boards as they are, and what the agent would do with each. It only reads. */
import type { CheckReport } from '../agent.js';
import type { AgentClock } from '../clock.js';
import { checkPort } from '../port-check.js';
import type { BoardConfig, ModbusLineConfig } from './config.js';
import { bitAt, readBits, readRegister } from './frame.js';
import { Inquiry } from './inquiry.js';

const TRIES = 3;

/** Looks at every board of the configuration. Never rejects: what cannot be reached is in the report. */
export function checkLine({ transport, boards }: ModbusLineConfig, clock: AgentClock): Promise<CheckReport> {
  return checkPort(transport, async (wire) => {
    const inquiry = new Inquiry(wire, clock);
    const reports: CheckReport[] = [];
    for (const board of boards) reports.push(await checkBoard(board, inquiry));
    return { isWell: reports.every(({ isWell }) => isWell), lines: reports.flatMap(({ lines }) => lines) };
  });
}

async function checkBoard(board: BoardConfig, inquiry: Inquiry): Promise<CheckReport> {
  const { id, unit, device, lines: wired } = board;
  const { relays, hook, tamper, watchdog, setup, identity, turnaroundMs } = device;
  const lines: string[] = [];
  let isWell = true;
  const say = (what: string, text: string, isFault = false) => {
    lines.push(`  ${what.padEnd(9)} ${isFault ? 'FAULT: ' : ''}${text}`);
    if (isFault) isWell = false;
  };
  const bits = async (table: 'coil' | 'discrete', base: number, count: number) => {
    const answer = await inquiry.ask(readBits(unit, table, base, count), turnaroundMs, TRIES);
    return answer.ok ? Array.from({ length: count }, (_, at) => bitAt(answer.data, at)) : answer.detail;
  };
  const register = async (at: number) => {
    const answer = await inquiry.ask(readRegister(unit, at), turnaroundMs, TRIES);
    return answer.ok ? answer.data.readUInt16BE(0) : answer.detail;
  };

  const first = await inquiry.ask(readBits(unit, 'coil', relays.base, relays.count), turnaroundMs, TRIES);
  const head = `board ${id}, unit ${unit}, ${device.vendor} ${device.name}`;
  if (!first.ok && first.fault !== 'exception') {
    return { isWell: false, lines: [`${head}: FAULT: no answer (${first.fault} ${first.detail})`] };
  }
  lines.push(`${head}: answers in ${first.tookMs.toFixed(1)} ms`);

  if (identity === undefined) say('identity', "not known: the device's file names no register for it");
  else {
    const found = await register(identity.register);
    const isSame = found === identity.expect;
    say('identity', `register ${identity.register} holds ${found}, expected ${identity.expect}`, !isSame);
  }

  if (first.ok) {
    const closed = wired.filter(({ relay }) => bitAt(first.data, relay)).map(({ handset }) => handset);
    say('relays', closed.length === 0 ? `${relays.count}, all open` : `connected: ${closed.join(', ')}`);
  } else say('relays', first.detail, true);

  const inputs = await bits(hook.fc, hook.base, hook.count);
  if (typeof inputs === 'string') say('hooks', inputs, true);
  else {
    const lifted = wired.filter(({ hook: at }) => at !== undefined && inputs[at] !== hook.activeLow);
    say('hooks', lifted.length === 0 ? 'all on' : `off: ${lifted.map(({ handset }) => handset).join(', ')}`);
  }
  if (tamper !== undefined) {
    const found = await bits(tamper.fc, tamper.base, 1);
    if (typeof found === 'string') say('case', found, true);
    else say('case', found[0] !== tamper.activeLow ? 'open' : 'closed');
  }

  if (watchdog === undefined) {
    say(
      'watchdog',
      `this kind of board has none${board.allowNoWatchdog ? ', and that is accepted' : ''}`,
      !board.allowNoWatchdog,
    );
  } else {
    const found = await register(watchdog.register);
    const wants = `register ${watchdog.register} holds ${found}; the agent ${found === watchdog.value ? 'wants' : 'will write'} ${watchdog.value} (in ${watchdog.unit})`;
    say('watchdog', wants, typeof found === 'string');
  }
  for (const { register: at, value, why } of setup) {
    const found = await register(at);
    if (found !== value)
      say('set-up', `register ${at} holds ${found}; the agent will write ${value}: ${why}`, typeof found === 'string');
  }
  return { isWell, lines };
}
