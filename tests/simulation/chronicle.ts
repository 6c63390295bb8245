import { DAY_US } from './timeline.js';

/** What happened, kept for as long as the ring is; '' is about the whole site. */
interface Note {
  readonly us: number;
  readonly about: string;
  readonly what: string;
}

const KEPT = 1 << 15;
/** Happenings of the site that are told from before those of the call. */
const BEFORE = 12;

/** Remembers the last happenings for the story of a breach, and folds all of them into a digest: two runs are the same if it is. */
export class Chronicle {
  // Three columns that are written over, and no object a happening: the garbage collector would carry each a long way.
  private readonly us = new Float64Array(KEPT);
  private readonly about: string[] = new Array<string>(KEPT).fill('');
  private readonly what: string[] = new Array<string>(KEPT).fill('');
  private next = 0;
  private a = 0x811c9dc5;
  private b = 0;
  /** Happenings so far. */
  count = 0;

  /** 64 bits over every happening and its instant, in hex. */
  get digest(): string {
    const hex = (n: number): string => (n >>> 0).toString(16).padStart(8, '0');
    return hex(this.a) + hex(this.b);
  }

  note(us: number, about: string, what: string): void {
    this.count += 1;
    this.us[this.next] = us;
    this.about[this.next] = about;
    this.what[this.next] = what;
    this.next = (this.next + 1) % KEPT;
    let hash = this.a ^ (us | 0);
    for (let i = 0; i < about.length; i += 1) hash = Math.imul(hash ^ about.charCodeAt(i), 0x01000193);
    for (let i = 0; i < what.length; i += 1) hash = Math.imul(hash ^ what.charCodeAt(i), 0x01000193);
    this.a = hash;
    this.b = (Math.imul(this.b, 0x9e3779b1) + hash) | 0;
  }

  /**
   * The last happenings about the call, handset or order, at most `most`; those of the whole site among them, and the last dozen
   * before them: a breach often begins before the call that shows it.
   */
  story(about: string, most = 30): readonly string[] {
    const all = this.kept();
    const own = all.filter((note) => note.about === about).slice(-most);
    const fromUs = about === '' ? 0 : (own[0]?.us ?? 0);
    const site = all.filter((note) => note.about === '' && about !== '');
    const before = site.filter(({ us }) => us < fromUs).slice(-BEFORE);
    const among = site.filter(({ us }) => us >= fromUs).slice(-most);
    const told = [...before, ...[...own, ...among].sort((a, b) => a.us - b.us)];
    return told.map(({ us, about: whose, what }) => `  ${instant(us)}  ${whose.padEnd(12)} ${what}`);
  }

  /** What is remembered, the oldest first. */
  private kept(): readonly Note[] {
    const from = Math.max(0, this.count - KEPT);
    return Array.from({ length: this.count - from }, (_, i): Note => {
      const at = (from + i) % KEPT;
      return { us: this.us[at] ?? 0, about: this.about[at] ?? '', what: this.what[at] ?? '' };
    });
  }
}

const two = (n: number): string => String(n).padStart(2, '0');

/** Virtual time as a person reads it: the day, and the time since it began. */
export function instant(us: number): string {
  const day = Math.floor(us / DAY_US);
  const s = (us - day * DAY_US) / 1e6;
  return `day ${day + 1} ${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${(s % 60).toFixed(6).padStart(9, '0')}`;
}
