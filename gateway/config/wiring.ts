import { isDeepStrictEqual } from 'node:util';
import type { Board } from '../../config/schema/types.generated.js';
import { type Checked, called, checkOnce, checkReference, idsOf } from './site-check.js';
import type { Sound } from './sound.js';

/** Boards, agents and lines: two wires on one screw, screws that a board does not have, two programs on one port. */
export function checkWiring(checked: Checked): void {
  checkLines(checked);
  checkScrews(checked);
  checkBoards(checked);
  checkPanics(checked);
  checkAgents(checked);
}

function checkLines(checked: Checked): void {
  const { handsets, boards, profiles } = checked.content;
  const toBoards = { ...idsOf(boards), what: 'a board', file: 'boards.json' };
  for (const [index, handset] of (handsets ?? []).entries()) {
    if (handset === undefined) continue;
    const { line } = handset;
    checkReference(checked, { file: 'handsets', pointer: `/${index}/line/board`, id: line?.board }, toBoards);
    const profile = profiles?.find((one) => one?.id !== undefined && one.id === handset.profile);
    if (profile?.hookRequired !== true || checked.isWritten('handsets', `/${index}/line`)) continue;
    checked.report(
      'handsets',
      `/${index}/line`,
      undefined,
      `a line, because profile "${handset.profile}" asks for the hook`,
      'add "line", or set "hookRequired": false in the profile: without a line this handset could never call',
    );
  }
}

/** No two handsets on one relay or one hook input, and none beyond what the board has. */
function checkScrews(checked: Checked): void {
  const { handsets, boards } = checked.content;
  for (const [screw, many] of [
    ['relay', 'relays'],
    ['hook', 'hooks'],
  ] as const) {
    checkOnce(checked, 'handsets', handsets ?? [], {
      key: (handset) => {
        const line = handset?.line;
        return line?.board === undefined || line[screw] === undefined ? undefined : `${line.board} ${line[screw]}`;
      },
      pointer: (index) => `/${index}/line/${screw}`,
      value: (handset) => handset?.line?.[screw],
      expected: (first, index) =>
        `a ${screw === 'hook' ? 'hook input' : 'relay'} of board "${first?.line?.board}" that no other handset has; ${called('handset', first, index)} has it`,
      hint: 'see on the board which one the pair is wired to',
    });
    for (const [index, handset] of (handsets ?? []).entries()) {
      const line = handset?.line;
      const board = boards?.find((one) => one?.id !== undefined && one.id === line?.board);
      const device = board?.device === undefined ? undefined : checked.devices.get(board.device);
      const number = line?.[screw];
      if (device === undefined || number === undefined || number < device[many]) continue;
      checked.report(
        'handsets',
        `/${index}/line/${screw}`,
        number,
        `from 0 to ${device[many] - 1}: board "${board?.id}" (${board?.device}) has ${device[many]}`,
        'they are counted from 0',
      );
    }
  }
}

function checkBoards(checked: Checked): void {
  const toDevices = {
    ids: [...checked.devices.keys()].sort(),
    whole: true,
    what: 'a device',
    file: 'config/devices/',
  };
  for (const [index, board] of (checked.content.boards ?? []).entries()) {
    checkReference(checked, { file: 'boards', pointer: `/${index}/device`, id: board?.device }, toDevices);
    const device = board?.device === undefined ? undefined : checked.devices.get(board.device);
    if (device === undefined || device.watchdog || board?.allowNoWatchdog !== false) continue;
    checked.report(
      'boards',
      `/${index}/device`,
      board.device,
      'a board with a communication watchdog of its own; this one has none',
      'take another board, or accept it knowingly with "allowNoWatchdog": true',
    );
  }
}

/** A panic button has an input of its own, which the board has; a line card has none for it. */
function checkPanics(checked: Checked): void {
  const { boards, handsets, wings } = checked.content;
  for (const [index, board] of (boards ?? []).entries()) {
    const device = board?.device === undefined ? undefined : checked.devices.get(board.device);
    const { input, wing } = board?.panic ?? {};
    const pointer = `/${index}/panic/input`;
    checkReference(
      checked,
      { file: 'boards', pointer: `/${index}/panic/wing`, id: wing },
      { ...idsOf(wings), what: 'a wing', file: 'wings.json' },
    );
    if (input === undefined || device === undefined) continue;
    if (device.isCard) {
      const hint = 'wire the button to a relay board';
      checked.report(
        'boards',
        `/${index}/panic`,
        board?.panic,
        'no panic button: a line card has no input for one',
        hint,
      );
    } else if (input >= device.hooks) {
      const expected = `from 0 to ${device.hooks - 1}: ${board?.device} has ${device.hooks} inputs`;
      checked.report('boards', pointer, input, expected, 'they are counted from 0');
    }
    const rival = handsets?.findIndex((handset) => handset?.line?.board === board?.id && handset?.line?.hook === input);
    if (rival === undefined || rival === -1) continue;
    const expected = `an input that no handset has; ${called('handset', handsets?.[rival], rival)} has it`;
    checked.report('boards', pointer, input, expected, 'else whoever lifts that handset ends every call');
  }
}

/** Boards of one agent share its transport and differ in unit; boards of two agents share no transport. */
function checkAgents(checked: Checked): void {
  const boards = checked.content.boards ?? [];
  checkOnce(checked, 'boards', boards, {
    key: (board) =>
      board?.agent === undefined || board.unit === undefined ? undefined : `${board.agent} ${board.unit}`,
    pointer: (index) => `/${index}/unit`,
    value: (board) => board?.unit,
    expected: (first, index) =>
      `a unit id that no other board of agent "${first?.agent}" has; ${called('board', first, index)} has it`,
    hint: 'set another unit id on one of the two boards, and write it here',
  });
  for (const [index, board] of boards.entries()) {
    const isCard = (one: Sound<Board> | undefined) =>
      one?.device !== undefined && checked.devices.get(one.device)?.isCard === true;
    const beside = boards.find((one) => one !== board && one?.agent !== undefined && one.agent === board?.agent);
    if (isCard(board) && beside !== undefined) {
      const expected = `an agent of its own: ${called('board', beside, boards.indexOf(beside))} names "${board?.agent}" too`;
      checked.report(
        'boards',
        `/${index}/agent`,
        board?.agent,
        expected,
        'a line card shares its serial port with nothing',
      );
    }
    const earlier = boards.slice(0, index).filter((one) => one?.agent !== undefined && one.transport !== undefined);
    if (board?.agent === undefined || board.transport === undefined) continue;
    const mate = earlier.find((one) => one?.agent === board.agent);
    if (mate !== undefined && !isDeepStrictEqual(mate.transport, board.transport)) {
      checked.report(
        'boards',
        `/${index}/transport`,
        board.transport,
        `the transport of ${called('board', mate, boards.indexOf(mate))}, because both name agent "${board.agent}"`,
        'write the same transport, or name another agent',
      );
    }
    const rival = earlier.find(
      (one) => one?.agent !== board.agent && port(one) !== undefined && port(one) === port(board),
    );
    if (rival !== undefined && mate === undefined) {
      checked.report(
        'boards',
        `/${index}/agent`,
        board.agent,
        `agent "${rival.agent}", which has the same port (${called('board', rival, boards.indexOf(rival))})`,
        "two programs on one serial line destroy each other's frames: name the same agent",
      );
    }
  }
}

/** What a transport takes hold of, as text. */
function port(board: Sound<Board> | undefined): string | undefined {
  const transport = board?.transport;
  if (transport?.kind === 'serial') return transport.path;
  if (transport?.kind === 'rtu-over-tcp' && transport.host !== undefined && transport.port !== undefined) {
    return `${transport.host}:${transport.port}`;
  }
  return undefined;
}
