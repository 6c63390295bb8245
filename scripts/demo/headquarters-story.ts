import type { EventEnvelope } from '../../config/schema/types.generated.js';
import type { Story } from './story.js';
import { signedMs } from './story.js';

type Data = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** An event that reached headquarters, as a line of the story. */
export function tellEvent(story: Story, event: EventEnvelope): void {
  const data = event.data as Data;
  const words = event.kind === 'alarm' ? alarmWords(data) : eventWords(event.type, data);
  story.tell('headquarters', `#${event.sequence} ${words}`);
}

function alarmWords(data: Data): string {
  return `ALARM ${text(data.why)}: ${text(data.message)}`;
}

function eventWords(type: string, data: Data): string {
  const handset = text(data.handset);
  switch (type) {
    case 'balise.call.refused':
      return `refused: ${handset} by ${text(data.rule)}: ${text(data.fact)}${data.nextAllowed === undefined ? '' : ` (next allowed ${text(data.nextAllowed)})`}`;
    case 'balise.call.ended': {
      const error =
        typeof data.cutoffErrorMs === 'number' ? `, measured cutoff error ${signedMs(data.cutoffErrorMs)}` : '';
      const by = data.endsBy === undefined || data.cause !== 'deadline' ? '' : ` (${text(data.endsBy)})`;
      return `ended: ${handset} by ${text(data.cause)}${by}, ${(Number(data.talkMs) / 1000).toFixed(1)} s of talk${error}`;
    }
    case 'balise.cutoff.done':
      return `cutoff done: ${Number(data.calls)} call, silent in ${Number(data.silentMs).toFixed(0)} ms, relay open in ${Number(data.relaysOpenMs).toFixed(0)} ms`;
    case 'balise.work.activity':
      return `work: ${text(data.person)} at ${handset}: ${text(data.activity)}${data.why === undefined ? '' : ` (${text(data.why)})`}`;
    case 'balise.work.contact':
      return `work: ${text(data.campaign)}, contact ${text(data.contact).slice(0, 6)}…: ${text(data.disposition)}`;
    default:
      return type;
  }
}

/** A retained topic or an acknowledgement, as a line of the story; what changes often is left out. */
export function tellState(story: Story, topic: string, message: Data): void {
  const [subject = '', id = ''] = topic.split('/').slice(-2);
  if (subject === 'handset') {
    const until = message.until === undefined ? '' : ` until ${text(message.until)}`;
    const work = message.work === undefined ? '' : `, ${text(message.person)} ${text(message.work)}`;
    story.tell('gateway', `${id}: ${text(message.state)}${until}${work}`);
  } else if (subject === 'line') story.tell('gateway', `board ${id}: ${text(message.state)}`);
  else if (topic.endsWith('presence')) story.tell('gateway', `is ${text(message.state)} at headquarters`);
}
