import type { Machine } from './machine.js';
import { NOTES } from './places.js';

/** A release, and the copy of the store from before it was brought forward, where it was. */
export interface Step {
  readonly release: string;
  readonly backup?: string;
}

/** What the installer keeps of its own work, in /opt/balise/installed.json. */
export interface Notes {
  /** The release in use. */
  readonly current?: string;
  /** The one before it; `backup` is the store as that one left it. */
  readonly previous?: Step;
  /** An upgrade that was begun: its copy of the store outlives an installer that is killed in the middle. */
  readonly pending?: Step;
}

export function readNotes(machine: Machine): Notes {
  const text = machine.read(NOTES);
  return text === undefined ? {} : (JSON.parse(text) as Notes);
}

export function writeNotes(machine: Machine, notes: Notes): void {
  machine.write(NOTES, `${JSON.stringify(notes, null, 2)}\n`);
}
