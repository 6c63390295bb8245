import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Temporal } from 'temporal-polyfill';
import type { Profile } from '../config/schema/types.generated.js';
import type { Announcement, CallRequest, MediaOrder } from './calls/ports.js';
import type { Clock } from './clock/clock.js';
import { programData } from './config/paths.js';
import type { SiteFiles } from './config/site.js';
import { type MediaRules, PLAIN_RULES, type RulesOf } from './media/media-rules.js';
import { OWN_SOUNDS, OwnSounds } from './media/own-sounds.js';
import { type Language, refusalPieces } from './media/prompts.js';
import { SoundLibrary } from './media/relay/sound-library.js';
import { RelayPlane } from './media/relay-plane.js';
import { RtpenginePlane } from './media/rtpengine/rtpengine-plane.js';
import { HEARD_CODECS } from './media/sdp-formats.js';
import type { Refusal } from './policy/decision.js';
import type { CallId, HandsetId, PersonId } from './policy/ids.js';

/** As the schema says of profiles' silenceAlarmS. */
const SILENCE_ALARM_S = 30;

/** The media plane of a site, on either driver. */
export type SitePlane = RelayPlane | RtpenginePlane;

interface DriverParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly onAlarm: (code: string, detail: string, handset: HandsetId) => void;
  readonly onArmed?: (call: CallId, order: MediaOrder) => void;
  readonly onClosed?: (call: CallId) => void;
  readonly onKey?: (call: CallId, key: string) => void;
}

/** What the configuration says of speech: what each handset's calls may carry, and what a refused caller is told. */
export class SiteMedia {
  readonly #zone: string;
  readonly #rules = new Map<string, MediaRules>();
  readonly #spoken = new Set<string>();
  readonly #supervised = new Set<string>();
  readonly #files: SiteFiles;

  readonly #languageOfPerson: (person: PersonId) => Language | undefined;

  /** `languageOfPerson`: what is known of the person who is signed on; undefined for the handset's own. */
  constructor(files: SiteFiles, languageOfPerson: (person: PersonId) => Language | undefined = () => undefined) {
    this.#files = files;
    this.#languageOfPerson = languageOfPerson;
    this.#zone = files.site.zone;
    this.handsetsChanged();
  }

  /** Takes the handsets as they are now; calls that are up keep the rules that they began with. */
  handsetsChanged(): void {
    const { site, handsets, profiles } = this.#files;
    this.#rules.clear();
    this.#spoken.clear();
    this.#supervised.clear();
    const byId = new Map(profiles.map((profile) => [profile.id, profile]));
    for (const { id, profile: name, language } of handsets) {
      const profile = byId.get(name);
      if (profile === undefined) continue;
      this.#rules.set(id, rulesOf(profile, language ?? site.language, site));
      if (profile.prompts) this.#spoken.add(id);
      if (profile.supervised) this.#supervised.add(id);
    }
  }

  /** Whether the profile lets supervisors listen to a handset's calls. */
  isSupervised(handset: HandsetId): boolean {
    return this.#supervised.has(handset);
  }

  /** What a call may carry and is told; in the person's language, else the handset's, else the site's. */
  readonly rulesOf: RulesOf = (handset, person) => {
    const rules = this.#rules.get(handset) ?? PLAIN_RULES;
    const language = person === undefined ? undefined : this.#languageOfPerson(person);
    return language === undefined || language === rules.language ? rules : { ...rules, language };
  };

  /** What carries the packets, as the configuration chooses it. */
  driver(parts: DriverParts): SitePlane {
    const { site, wings, trunks } = this.#files;
    const { rulesOf } = this;
    const cell = wings.flatMap(({ network }) => network);
    if (site.media.driver === 'relay')
      return new RelayPlane({
        ...parts,
        rulesOf,
        ownSounds: new OwnSounds(join(this.#files.dataFolder, OWN_SOUNDS)),
        networks: { cell, carrier: trunks.flatMap(({ networks }) => networks) },
      });
    const interfaces = site.media.rtpengine?.interfaces;
    const { clock, log } = parts;
    return new RtpenginePlane({
      clock,
      log,
      rulesOf,
      cell,
      sounds: SoundLibrary.load(programData('prompts')),
      owner: `${site.site}.${site.gateway}`,
      ...(interfaces === undefined ? {} : { interfaces }),
    });
  }

  /** What a refused caller is told; undefined where its profile is silent. */
  announcement(request: CallRequest, refusal: Refusal, at: Temporal.Instant): Announcement | undefined {
    if (!this.#spoken.has(request.handset)) return undefined;
    const { language } = this.rulesOf(request.handset, request.person);
    return { language, pieces: refusalPieces(refusal.rule, refusal.nextAllowed, at, this.#zone) };
  }
}

function rulesOf(profile: Profile, language: MediaRules['language'], site: SiteFiles['site']): MediaRules {
  const { spokenWarnings, warnCallee, announcement, digitsInSpeech, digitsMost, digitAlarm } = profile;
  const { codecs } = site.media;
  // A key cannot be heard in what the relay cannot decode.
  const heard = codecs.filter((codec) => HEARD_CODECS.includes(codec));
  const isListening = digitsInSpeech === 'mute';
  return {
    language,
    calleeLanguage: site.language,
    codecs: isListening ? (heard.length > 0 ? heard : HEARD_CODECS) : codecs,
    spokenWarnings,
    warnCallee,
    announcement,
    digitsInSpeech: isListening,
    ...(digitsMost === undefined ? {} : { digitsMost }),
    digitAlarm,
    silenceAlarmS: profile.silenceAlarmS ?? (site.media.driver === 'relay' ? SILENCE_ALARM_S : 0),
  };
}
