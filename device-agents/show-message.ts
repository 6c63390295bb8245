import type { ShowMessage } from '../config/schema/types.generated.js';
import { membersOf } from './payload.js';

/** What a handset is to show; what is left out stays as it is. */
export interface Show {
  readonly lamp?: 'OFF' | 'GREEN' | 'AMBER' | 'RED';
  readonly text?: string;
}

const LAMPS = { off: 'OFF', green: 'GREEN', amber: 'AMBER', red: 'RED' } as const;

/** What a payload says is to be shown, or undefined when it says nothing of the kind (`line-show.schema.json`). */
export function readShow(payload: Buffer): Show | undefined {
  const value = membersOf(payload);
  if (value === undefined) return undefined;
  const { lamp, text } = value as Partial<Record<keyof ShowMessage, unknown>>;
  if (lamp !== undefined && !Object.keys(LAMPS).includes(lamp as string)) return undefined;
  if (text !== undefined && typeof text !== 'string') return undefined;
  return {
    ...(lamp === undefined ? {} : { lamp: LAMPS[lamp as keyof typeof LAMPS] }),
    ...(text === undefined ? {} : { text }),
  };
}
