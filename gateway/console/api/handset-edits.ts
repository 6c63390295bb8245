/** Changes to the site’s handsets and their phones. */
import type { LinePlace } from './handsets.js';

/** A phone, or one port of an adapter. */
export interface PhonePlace {
  /** One of GET /api/models. */
  readonly model: string;
  /** 12 hexadecimal digits, with colons, hyphens, dots or nothing between them. */
  readonly mac: string;
  /** From 1, which is the default. */
  readonly port?: number;
}

/** POST /api/handsets → HandsetEdited. Its secret is drawn, and only a hash of it is kept in the site's files. */
export interface NewHandset {
  readonly id: string;
  readonly wing: string;
  readonly profile: string;
  /** Default: the id without its punctuation. */
  readonly user?: string;
  readonly language?: string;
  readonly enabled?: boolean;
  readonly line?: LinePlace;
  readonly phone?: PhonePlace;
}

/** PUT /api/handsets/:id → HandsetEdited. What is absent stays; `line: null` takes its wire away. */
export type HandsetEdit = Partial<Omit<NewHandset, 'id' | 'line' | 'enabled'>> & { readonly line?: LinePlace | null };

/** POST /api/handsets/:id/disable and /enable, and DELETE /api/handsets/:id?reason= (it may be left out there) → HandsetEdited */
export interface HandsetReason {
  readonly reason: string;
}

/** POST /api/handsets/:id/replace → HandsetEdited. Another phone in the same place; without a model, one of the same. */
export interface PhoneReplacement {
  readonly mac: string;
  readonly model?: string;
  readonly port?: number;
}

/** POST /api/handsets/:id/provision → HandsetEdited. Opens the time in which its phone may fetch its configuration. */
export interface ProvisionOrder {
  /** With a fresh secret. */
  readonly rotate?: boolean;
  /** With a fresh token: the phone was reset, or somebody may have read its token. */
  readonly newToken?: boolean;
}

/** What became of an edit. */
export interface HandsetEdited {
  readonly handset: string;
  readonly changes: readonly {
    readonly handset: string;
    readonly what: 'added' | 'removed' | 'changed';
    readonly fields?: readonly string[];
  }[];
  /** What a person should know, in English: what waits for calls to end, what takes a restart. */
  readonly remarks: readonly string[];
  /** Devices that were armed with it, each with its token or secret: shown once, here and nowhere else. */
  readonly armed: readonly ArmedView[];
  /** False: this gateway serves no phones (site.json has no `provisioning`), so that nothing can be fetched. */
  readonly isServing: boolean;
}

/** What is to be done at a device that was just armed; it holds a secret, and is for whoever stands there. */
export type ArmedView = { readonly mac: string; readonly model: string; readonly maker: string } & (
  | {
      readonly armedUntil: string;
      readonly url: string;
      readonly file: string;
      /** Where in the device's own pages the URL goes. */
      readonly where: string;
      readonly token: string;
      /** For HTTP authentication with the token as its password, and a URL without the path; absent: the device knows none. */
      readonly user?: string;
    }
  /** A device that fetches nothing: everything that is to be keyed in, its secret included. */
  | { readonly sheet: string }
);

/** GET /api/models → { models: PhoneModelView[] } */
export interface PhoneModelView {
  readonly model: string;
  /** Handsets that one device of it serves. */
  readonly handsets: number;
}
