/** Who may use the console, and how they come in. */

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
  | 'score'
  | 'people'
  | 'metrics';

export type ConsoleLanguage = 'fr' | 'nl' | 'en';

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
