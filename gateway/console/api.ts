/**
 * The console's wire types, whole: what its server answers and what its front end sends. Both sides import this file as types
 * alone, so it imports nothing. Every instant is ISO 8601 in UTC with a Z. No called number is in any answer, whoever asks.
 */

export type Role = 'technician' | 'supervisor' | 'auditor' | 'administrator';

/** What a role may do; which role has which is the table in rights.ts. */
export type Right =
  | 'see'
  | 'see-calls'
  | 'see-audit'
  | 'cut'
  | 'release'
  | 'test-line'
  | 'provision'
  | 'configure'
  | 'listen'
  | 'people'
  | 'metrics';

export type ConsoleLanguage = 'fr' | 'nl' | 'en';

/** Stable codes of errors; the front end has words of its own for each. */
export type ErrorCode =
  | 'session.none'
  | 'session.wrong'
  | 'session.locked'
  | 'people.none'
  | 'people.unknown'
  | 'people.taken'
  | 'people.not-yourself'
  | 'people.last-administrator'
  | 'password.weak'
  | 'password.wrong'
  | 'first.wrong'
  | 'csrf'
  | 'host'
  | 'right'
  | 'form'
  | 'not-found'
  | 'too-many'
  | 'too-large'
  | 'handset.unknown'
  | 'handset.busy'
  | 'handset.held'
  | 'test.none'
  | 'handset.taken'
  | 'handset.no-phone'
  | 'site.busy'
  | 'site.read-only'
  | 'site.faults'
  | 'site.refused'
  | 'wing.unknown'
  | 'call.unknown'
  | 'listen.refused'
  | 'listen.not-yours'
  | 'disk'
  | 'fault';

/** The body of every answer that is no success. `error` is plain English, for logs and for codes that a page does not know. */
export interface ErrorView {
  readonly error: string;
  readonly code: ErrorCode;
  /** `right`: the right that was missing. */
  readonly right?: Right;
  /** `session.locked`, `too-many`: also in Retry-After, seconds. */
  readonly retryAfterS?: number;
  /** `site.faults`: what would be wrong with the site; nothing was changed. */
  readonly faults?: readonly SiteFaultView[];
  /** `site.refused`: why the running gateway did not take it; it goes on as it was. */
  readonly remarks?: readonly string[];
}

/** One fault that an edit would make, as `balise check` tells it. */
export interface SiteFaultView {
  readonly file: string;
  /** JSON pointer (RFC 6901) into the file, e.g. `/3/line/relay`. */
  readonly pointer: string;
  readonly found: string;
  readonly expected: string;
  readonly hint: string;
}

// Sessions and people

export interface PersonView {
  readonly name: string;
  readonly role: Role;
  readonly language: ConsoleLanguage;
}

/** GET and POST /api/session, POST /api/first-person, POST /api/session/password. */
export interface SessionView {
  readonly person: PersonView;
  /** To be sent as the header `x-csrf-token` with everything that changes something. */
  readonly csrf: string;
  readonly rights: readonly Right[];
}

/** POST /api/session */
export interface LogIn {
  readonly name: string;
  readonly password: string;
}

/** POST /api/session/password. Every other session of the person ends. */
export interface PasswordChange {
  readonly old: string;
  readonly new: string;
}

/** POST /api/first-person; the token is that of the one-time link. The person is an administrator. */
export interface FirstPerson {
  readonly token: string;
  readonly name: string;
  readonly password: string;
  readonly language?: ConsoleLanguage;
}

/** GET /api/people → { people: PersonEntry[] } */
export interface PersonEntry extends PersonView {
  readonly disabled: boolean;
  readonly createdAt: string;
  readonly passwordAt: string;
  readonly lastSeenAt?: string;
  readonly lockedUntil?: string;
  /** The fingerprint (SHA-256, hex) of the client certificate that stands for this person. */
  readonly certificate?: string;
  readonly sessions: number;
}

/** POST /api/people → PersonEntry */
export interface NewPerson {
  readonly name: string;
  readonly role: Role;
  readonly password: string;
  readonly language?: ConsoleLanguage;
  readonly certificate?: string;
}

/** PATCH /api/people/:name → PersonEntry; what is absent stays. A new password ends the person's sessions. */
export interface PersonChange {
  readonly role?: Role;
  readonly password?: string;
  readonly language?: ConsoleLanguage;
  readonly disabled?: boolean;
  /** null takes it off. */
  readonly certificate?: string | null;
}

// Live

export type Phase = 'idle' | 'calling' | 'ringing' | 'talking' | 'ended';

export interface HandsetView {
  readonly handset: string;
  readonly wing: string;
  readonly phase: Phase;
  readonly hook: 'on' | 'off' | 'unknown' | 'none';
  readonly relay: 'connected' | 'open' | 'unknown' | 'none';
  readonly registered: boolean;
  readonly disabled: boolean;
  readonly call?: string;
  /** While talking: whole seconds of talk left, those of the whole grant, and when it ends. */
  readonly leftS?: number;
  readonly grantS?: number;
  readonly until?: string;
  /** The last refusal, for two minutes. */
  readonly refusedAt?: string;
  readonly rule?: string;
  readonly fact?: string;
  readonly refusedCall?: string;
  /** The order in force that keeps it from calling: its own, its wing's or the site's; no `until`: until released. */
  readonly cut?: {
    readonly kind: 'handset' | 'wing' | 'site';
    readonly since: string;
    readonly until?: string;
    readonly reason: string;
  };
  /** Why its line cannot be trusted now, e.g. its controller is lost. */
  readonly fault?: string;
  /** The audio test that was ordered of it; what came of it stays for two minutes. */
  readonly audioTest?: AudioTestProgress;
}

export interface PlaneView {
  readonly name: string;
  readonly state: 'up' | 'down';
  readonly detail: string;
}

/** One ended call or refusal. */
export interface EndedView {
  readonly call: string;
  readonly handset: string;
  /** When it ended. */
  readonly at: string;
  readonly cause: string;
  readonly rule?: string;
  readonly fact?: string;
  readonly talkS: number;
  /** When the handset asked for it; absent for what was recorded before this was kept. */
  readonly requestedAt?: string;
  /** False: it went out to no trunk. */
  readonly attempted?: boolean;
}

export interface AlarmView {
  readonly at: string;
  readonly code: string;
  readonly detail: string;
  /** Of a handset's line or call. */
  readonly handset?: string;
}

/** A wing, with how it stands as a whole. */
export interface WingView {
  readonly wing: string;
  readonly handsets: number;
  readonly cut?: HandsetView['cut'];
}

export interface SiteView {
  readonly site: string;
  readonly gateway: string;
  readonly zone: string;
  readonly at: string;
  /** In words. */
  readonly clock: string;
  readonly clockTrusted: boolean;
  readonly planes: readonly PlaneView[];
  readonly wings: readonly WingView[];
  readonly handsets: readonly HandsetView[];
  readonly boards: readonly BoardView[];
  readonly uplink: UplinkView;
  /** What a handset can be given: names of profiles. */
  readonly profiles?: readonly string[];
  /** The last ones, newest first. */
  readonly ended: readonly EndedView[];
  readonly alarms: readonly AlarmView[];
  /** An order that holds the whole site. */
  readonly cut?: HandsetView['cut'];
}

/**
 * GET /api/live: server-sent events by these names; the data is the JSON of the value. The first is `view`. A client too slow
 * to take them is let go, and its EventSource comes back to a fresh `view`. `bye`: the session is over; do not come back by
 * itself.
 */
export interface LiveEvents {
  readonly view: SiteView;
  readonly handset: HandsetView;
  readonly ended: EndedView;
  readonly alarm: AlarmView;
  readonly planes: readonly PlaneView[];
  readonly boards: readonly BoardView[];
  readonly uplink: UplinkView;
  readonly bye: { readonly code: ErrorCode };
}

// Handsets

/** GET /api/handsets/:id */
export interface HandsetPage {
  readonly view: HandsetView;
  readonly user: string;
  readonly wing: string;
  readonly profile: string;
  readonly language: string;
  /** Its relay and hook input on the board, counted from 0. */
  readonly line?: { readonly board: string; readonly channel: number; readonly hook: number };
  readonly registration?: {
    /** Address and port that it registered from. */
    readonly address: string;
    readonly userAgent?: string;
    readonly since: string;
    readonly expiresAt: string;
  };
  readonly lastCalls: readonly EndedView[];
}

/** Its relay and its hook input on a board, counted from 0. */
export interface LinePlace {
  readonly board: string;
  readonly channel: number;
  readonly hook: number;
}

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
}

export type ArmedView = { readonly mac: string; readonly model: string; readonly maker: string } & (
  | {
      readonly armedUntil: string;
      readonly url: string;
      readonly file: string;
      readonly where: string;
      readonly token: string;
      /** Where the device knows HTTP authentication: its user; the token is the password. */
      readonly user?: string;
    }
  /** A device that fetches nothing: what is to be keyed in, its secret included. */
  | { readonly sheet: string }
);

/** GET /api/models → { models: PhoneModelView[] } */
export interface PhoneModelView {
  readonly model: string;
  /** Handsets that one device of it serves. */
  readonly handsets: number;
}

export interface Interval {
  readonly from: string;
  readonly until: string;
}

/** GET /api/handsets/:id/week?zone=&from=: seven dates, `from` the first (default: today at the site). */
export interface WeekView {
  readonly zone: string;
  readonly siteZone: string;
  readonly days: readonly DayView[];
}

/**
 * One date. `siteWindows`: when the handset may call at all on that date of the site's zone. `zoneWindows`: when somebody
 * in `zone` may be called by the hours of `zone`'s country on file, on that date of `zone`; the two overlap where a call may be.
 */
export interface DayView {
  readonly date: string;
  readonly siteWindows: readonly Interval[];
  readonly zoneWindows: readonly Interval[];
}

/** GET /api/handsets/:id/when?number=|country=: judged now and not kept. */
export interface WhenView {
  readonly allowedNow: boolean;
  readonly rule?: string;
  readonly fact?: string;
  readonly nextAllowed?: string;
  readonly notAfter?: string;
  readonly endsBy?: string;
  readonly zones?: readonly string[];
  readonly why: readonly Judgement[];
}

/** One rule's part: its verdict, and what it has to say in the language of the session. */
export interface Judgement {
  readonly rule: string;
  readonly verdict: 'passes' | 'refuses';
  readonly words: readonly string[];
}

/** POST /api/handsets/:id/line-test. Times from the order to the board's word, milliseconds. */
export interface LineTestView {
  readonly outcome: string;
  readonly hook: string;
  readonly openedMs?: number;
  readonly closedMs?: number;
}

/** POST /api/handsets/:id/audio-test: the handset's next call until then, to whatever number, is answered by the gateway. */
export interface AudioTestView {
  readonly until: string;
}

/** How an audio test stands. */
export interface AudioTestProgress {
  readonly state: 'waiting' | 'playing' | 'done' | 'failed';
  /** `waiting`: to begin; `playing`: its end at the latest; else when it ended. */
  readonly until: string;
  /** Of the handset's speech, so far or in all. */
  readonly packets: number;
  readonly lost: number;
  readonly jitterMs: number;
  /** `failed`: why. */
  readonly why?: AudioTestFault;
}

export type AudioTestFault =
  | 'nobody-called'
  | 'nothing-heard'
  | 'held'
  | 'no-media'
  | 'no-signalling'
  | 'cut'
  | 'stopped';

// Calls

/** GET /api/calls */
export interface CallsQuery {
  readonly handset?: string;
  /** `answered`, `refused`, `unanswered`, or a cause as it is written in the record. */
  readonly outcome?: string;
  /** Ended at or after, and before; instants. */
  readonly from?: string;
  readonly to?: string;
  /** The cursor of the answer before. */
  readonly before?: string;
  /** 1 to 200; 50 unless told otherwise. */
  readonly limit?: number;
}

/** Newest first. `before`: there are older ones, and this asks for them. */
export interface CallsView {
  readonly calls: readonly EndedView[];
  readonly before?: string;
}

/** GET /api/calls/:id: a call that is up or that ended. */
export interface CallView {
  readonly call: string;
  readonly handset: string;
  readonly wing?: string;
  readonly person?: string;
  /** Where it is in its life: `ended`, or a state of a call that is up. */
  readonly state: string;
  readonly trunk?: string;
  readonly requestedAt?: string;
  readonly answeredAt?: string;
  readonly endedAt?: string;
  readonly talkS?: number;
  readonly cause?: string;
  readonly rule?: string;
  readonly fact?: string;
  readonly nextAllowed?: string;
  readonly sipStatus?: number;
  readonly deadline?: string;
  readonly endsBy?: string;
  /** What was granted: until when and by which rule, how much talk and by which. */
  readonly granted?: {
    readonly notAfter: string;
    readonly notAfterBy: string;
    readonly maxTalkS: number;
    readonly maxTalkBy: string;
    readonly calleeZones: readonly string[];
  };
  readonly cutoffErrorMs?: number;
  readonly planes?: Readonly<Record<string, { readonly confirmed: boolean; readonly afterMs: number }>>;
  /** While it is up: as it stands. */
  readonly quality?: CallQuality;
  /** Who listens to it now: names of supervisors. For those alone who may listen, or read the audit chain. */
  readonly listeners?: readonly string[];
  /** Every rule judged; absent where that was not kept. */
  readonly why?: readonly Judgement[];
  /** What happened, milliseconds after the request; absent where that was not kept. */
  readonly steps?: readonly { readonly atMs: number; readonly what: string; readonly state: string }[];
  /** The order that cut it. */
  readonly cutBy?: { readonly by: string; readonly reason: string; readonly at: string };
}

export interface StreamView {
  readonly packets: number;
  readonly lost: number;
  readonly jitterMs: number;
  readonly longestSilenceMs?: number;
  readonly roundTripMs?: number;
  readonly mos?: number;
}

export interface CallQuality {
  readonly handsetPackets: number;
  readonly trunkPackets: number;
  readonly dropped: number;
  readonly droppedAfterDeadline: number;
  readonly lost: number;
  readonly jitterMs: number;
  readonly handset?: StreamView;
  readonly trunk?: StreamView;
}

// Site

/** GET /api/boards → { boards: BoardView[] } */
export interface BoardView {
  readonly board: string;
  readonly device: string;
  /** `ok`, `lost`, `watchdog-missing` or `tamper`; `starting` before the first word. */
  readonly state: string;
  readonly detail: string;
  readonly port: string;
  readonly handsets: readonly string[];
  readonly rttMs?: number;
  readonly polls?: number;
  /** Errors since its agent started, by kind. */
  readonly errors?: Readonly<Record<string, number>>;
  readonly watchdog?: string;
  readonly at?: string;
}

/** GET /api/trunks → { trunks: TrunkView[] } */
export interface TrunkView {
  readonly trunk: string;
  readonly address: string;
  readonly transport: string;
  /** Since the gateway's start. */
  readonly attempts: number;
  readonly answered: number;
  readonly failed: number;
  readonly lastFailure?: { readonly at: string; readonly sipStatus: number };
}

/** GET /api/uplink */
export interface UplinkView {
  readonly configured: boolean;
  readonly connected: boolean;
  readonly broker?: string;
  /** Events written and not yet confirmed by headquarters. */
  readonly waiting: number;
  readonly lastSequence: number;
}

/** GET /api/status */
export interface StatusView {
  readonly site: string;
  readonly gateway: string;
  readonly version: string;
  readonly startedAt: string;
  readonly at: string;
  readonly clock: { readonly trusted: boolean; readonly why?: string };
  readonly planes: readonly PlaneView[];
  readonly calls: number;
  readonly handsets: { readonly all: number; readonly registered: number; readonly offHook: number };
  readonly boards: { readonly all: number; readonly up: number };
  readonly uplink: UplinkView;
  readonly disk: {
    readonly usedBytes: number;
    readonly limitBytes: number;
    readonly freeBytes: number;
    readonly hasRoom: boolean;
  };
  readonly policy: { readonly source: 'folder' | 'bundle'; readonly version?: number; readonly state: string };
  /** What stands against calls now, in words; empty when nothing does. */
  readonly troubles: readonly string[];
}

/** GET /api/audit?before=<sequence>&limit= */
export interface AuditView {
  readonly events: readonly AuditEvent[];
  readonly before?: number;
}

export interface AuditEvent {
  readonly sequence: number;
  readonly at: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly hash: string;
}

/** What is to be cut or released. */
export type CutTarget =
  | { readonly kind: 'handset'; readonly handset: string }
  | { readonly kind: 'wing'; readonly wing: string }
  | { readonly kind: 'site' };

/** POST /api/cutoffs → CutView */
export interface CutOrder {
  readonly target: CutTarget;
  readonly reason: string;
  readonly holdS: number | 'until-released';
}

/** POST /api/calls/:id/cut, by a supervisor who listens to it → CutView. What an order to cut came to. */
export interface CutView {
  readonly calls: number;
  readonly silentMs: number;
  /** Every plane of every call confirmed. */
  readonly complete: boolean;
}

/** POST /api/releases → { released: true } */
export interface ReleaseOrder {
  readonly target: CutTarget;
}
