import type { ConsoleLanguage } from '../api/people.js';

const LOCALES: Readonly<Record<ConsoleLanguage, string>> = { en: 'en-GB', fr: 'fr-BE', nl: 'nl-BE' };

const made = new Map<string, Intl.DateTimeFormat>();

function formatter(language: ConsoleLanguage, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${zone} ${JSON.stringify(options)}`;
  let found = made.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat(LOCALES[language], { timeZone: zone, hourCycle: 'h23', ...options });
    made.set(key, found);
  }
  return found;
}

/** How instants and quantities are written: in the language of the page, and in the site's zone unless told otherwise. */
export class Format {
  constructor(
    readonly language: ConsoleLanguage,
    readonly zone: string,
  ) {}

  /** 20:14:09 */
  time(at: string | Date): string {
    return this.#write(at, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  }

  /** 20:14 */
  minute(at: string | Date, zone = this.zone): string {
    return this.#write(at, { hour: '2-digit', minute: '2-digit' }, zone);
  }

  /** Mon 23 Nov */
  day(at: string | Date, zone = this.zone): string {
    return this.#write(at, { weekday: 'short', day: 'numeric', month: 'short' }, zone);
  }

  /** The time today, to the second; the day and the minute otherwise. `now` is the instant that today is taken from. */
  when(at: string, now: string | Date = new Date()): string {
    return this.day(at) === this.day(now) ? this.time(at) : this.dayMinute(at);
  }

  /** Mon 23 Nov, 20:14:09 */
  exact(at: string): string {
    return `${this.day(at)}, ${this.time(at)}`;
  }

  /** Mon 23 Nov 20:14, in a zone of choice. */
  dayMinute(at: string, zone = this.zone): string {
    return `${this.day(at, zone)}, ${this.minute(at, zone)}`;
  }

  number(value: number, digits = 0): string {
    return new Intl.NumberFormat(LOCALES[this.language], { maximumFractionDigits: digits }).format(value);
  }

  /** 3.4 ms; whole from 10 on. */
  ms(value: number): string {
    return `${this.number(value, value < 10 ? 1 : 0)} ms`;
  }

  /** A zone's city, as its name in the list of zones has it: Europe/Istanbul → Istanbul. */
  city(zone: string): string {
    return (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ');
  }

  /** A language by its tag: sq → Albanian. */
  languageName(tag: string): string {
    return new Intl.DisplayNames(LOCALES[this.language], { type: 'language' }).of(tag) ?? tag;
  }

  country(code: string): string {
    return new Intl.DisplayNames(LOCALES[this.language], { type: 'region' }).of(code) ?? code;
  }

  #write(at: string | Date, options: Intl.DateTimeFormatOptions, zone = this.zone): string {
    return formatter(this.language, zone, options).format(typeof at === 'string' ? new Date(at) : at);
  }
}

/** 75 → 1:15; 3675 → 1:01:15. */
export function clockLength(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return whole < 3600
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
