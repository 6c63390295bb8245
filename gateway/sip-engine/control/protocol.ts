/** The control protocol: newline-delimited JSON over a UNIX socket, one object a line, both ways. */

/** A dialog of an engine that is no more, with all that its BYE or CANCEL needs. */
export interface LostDialog {
  readonly state: 'early' | 'confirmed';
  readonly dialogId: string;
  readonly callId: string;
  readonly localUri: string;
  readonly localTag: string;
  readonly remoteUri: string;
  readonly remoteTag: string;
  /** The peer's Contact: the Request-URI of what we send. */
  readonly remoteTarget: string;
  /** Route headers in the order in which we send them. */
  readonly routeSet: readonly string[];
  /** The last CSeq number that was sent in the dialog. */
  readonly cseq: number;
  /** The Via branch of our INVITE; empty where the peer sent the INVITE. */
  readonly branch: string;
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** Where the dialog's last packet went or came from. */
  readonly address: string;
  readonly port: number;
  /** The listener that it lived on; else the first that speaks the transport. */
  readonly listener?: string | undefined;
}

/** What a 401 or 407 to a request of the engine's own asks for: the header's values with commas between, and the Request-URI that it answers. */
export interface Challenged {
  readonly header: 'WWW-Authenticate' | 'Proxy-Authenticate';
  readonly value: string;
  readonly uri: string;
}

/** The answer to it, which only who has the account can make. */
export interface Proof {
  readonly header: 'Authorization' | 'Proxy-Authorization';
  readonly value: string;
}

export type ControlOrder =
  /** First. An `observer` asks and orders, but its silence or absence ends nothing. */
  | { readonly do: 'hello'; readonly secret: string; readonly observer?: boolean }
  | { readonly do: 'beat' }
  /** Ends the dialog at that instant of CLOCK_MONOTONIC, decimal nanoseconds. A second one can only bring it closer. */
  | { readonly do: 'deadline'; readonly id: number; readonly dialog: string; readonly atNs: string }
  /** Sends the BYE or CANCEL that an engine before this one owed; a BYE that was challenged goes again with a proof and a higher CSeq. */
  | { readonly do: 'restore'; readonly id: number; readonly dialog: LostDialog; readonly proof?: Proof }
  | { readonly do: 'end-all'; readonly id: number; readonly reason: string }
  | { readonly do: 'status'; readonly id: number }
  /** Ends everything, and then the process. */
  | { readonly do: 'retire'; readonly id: number };

/** What `status` tells: counts since the start, and how much is open now. */
export type EngineStatus = Readonly<Record<string, number>>;

/** What of a status is open now; all else counts from the engine's start and only rises. */
export const OPEN_NOW: ReadonlySet<string> = new Set([
  'dialogs',
  'clientTransactions',
  'serverTransactions',
  'applications',
  'tcpConnections',
]);

export type ControlNotice =
  | { readonly event: 'welcome' }
  | { readonly event: 'beat' }
  | { readonly event: 'done'; readonly id: number; readonly count?: number }
  | { readonly event: 'failed'; readonly id: number; readonly why: string }
  /** The peer's final answer to the BYE or CANCEL; 408 when there was none. */
  | { readonly event: 'restored'; readonly id: number; readonly status: number; readonly challenged?: Challenged }
  | { readonly event: 'status'; readonly id: number; readonly status: EngineStatus }
  /** A dialog's instant came and its BYE has been sent. */
  | { readonly event: 'deadline'; readonly dialog: string; readonly lateMs: number };

/** A client beats this often, milliseconds; the engine answers each beat with one. */
export const BEAT_EVERY_MS = 500;
/** Silence for this long is loss of contact, milliseconds. */
export const SILENCE_MS = 2_000;
