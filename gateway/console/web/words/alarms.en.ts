/** The alarms that the gateway raises at the console: each has a title here, in each language. */
export type AlarmCode = keyof typeof alarmsEn;

/** What an alarm is about, as the gateway says it; a general word where it says nothing of it. */
export interface AlarmParts {
  readonly handset: string;
  readonly board: string;
  /** The address that it came from. */
  readonly address: string;
  /** Of a cutoff: how many calls were ended, why, and by whom. */
  readonly calls: string;
  readonly reason: string;
  readonly by: string;
}

/** What happened, in a sentence. English has none of these: the gateway's own words are English. */
export type AlarmSentences = Readonly<Record<AlarmCode, (parts: AlarmParts) => string>>;

export const alarmsEn = {
  cutoff: 'Cut off',
  'clock.untrusted': 'Clock not trusted',
  'bench.no-challenge': 'Handsets are not challenged',
  'plane.crash-loop': 'A plane keeps failing',
  'line.controller-lost': 'Line controller lost',
  'line.watchdog-missing': 'Board without watchdog',
  'line.tamper': 'Case open',
  'line.relay-unconfirmed': 'Relay not confirmed',
  'line.panic': 'Panic button',
  'line.left-off-hook': 'Left off hook',
  'sip.locked-out': 'Wrong passwords: locked out',
  'sip.foreign-source': 'Stranger on the cell network',
  'sip.foreign-address': 'Handset outside its wing',
  'sip.foreign-contact': 'Registration with a strange contact',
  'sip.foreign-aor': 'Registration as another handset',
  'sip.second-registration': 'Registered twice',
  'sip.replayed-nonce': 'A used credential came again',
  'sip.moved-credential': 'A credential came with another request',
  'sip.inward-call': 'Call from outside, refused',
  'sip.inward-request': 'Request from outside, refused',
  'sip.refer': 'Transfer tried, refused',
  'sip.replaces': 'Taking over a call tried, refused',
  'sip.fault': 'Fault at a SIP request',
  'media.silence': 'No speech on a call',
  'media.digits': 'Digits keyed that may not pass',
  'media.lost': 'Media plane lost',
  'media.rtpengine-away': 'rtpengine does not answer',
  'recording.fault': 'A call is not recorded',
  'recording.bad-warrant': 'A warrant that is none',
  'recording.not-audited': 'Recording not on record',
  'recording.not-erased': 'Recording not erased',
  'recording.disk-full': 'No room for recordings',
  'supervision.fault': 'Nobody can listen',
  'supervision.not-audited': 'Listening not on record',
  'work.batch-refused': 'Contacts of headquarters refused',
  'work.distress': 'Distress reported',
  'work.fault': 'Fault at the work desk',
  'work.locked': 'Wrong codes or PINs: locked',
  'work.no-announcement': 'What callees are told is missing',
  'work.no-desk': 'Nobody can sign on',
  'work.no-key': 'The key of the contacts is missing',
  'work.number-keyed': 'A number keyed at the work desk',
  'work.second-handset': 'Signed on at two handsets',
  'provisioning.foreign-address': 'Configuration asked for from elsewhere',
  'provisioning.guessing': 'Somebody guesses configurations',
  'provisioning.mismatch': 'Phone is not what was provisioned',
  'provisioning.not-noted': 'Phone’s state not kept',
  'provisioning.stale': 'Phone has an old secret',
  'provisioning.unreadable': 'Enrolment cannot be read',
  'console.locked': 'Wrong log-ins: locked',
  'site.order-unreadable': 'An order cannot be read',
  'site.reload-refused': 'Changed files not taken',
  'bus.credentials': 'Bus: wrong secret',
  'bus.publish': 'Bus: message not allowed',
  'bus.subscribe': 'Bus: listening not allowed',
  'bus.size': 'Bus: message too long',
  'bus.rate': 'Bus: too many messages',
  'bus.crowd': 'Bus: too many connections',
  'bus.tls': 'Bus: TLS failed',
  'dnc.ageing': 'Do-not-call list is getting old',
  'dnc.not-kept': 'A refusal to be called is not kept',
  'dnc.stale': 'Do-not-call list too old',
  'dnc.token-key': 'Numbers of do-not-call not recognised',
  'dnc.unusable': 'Do-not-call list unusable',
  'policy.expired': 'The policy has expired',
  'policy.expiring': 'The policy expires soon',
  'policy.malformed': 'Policy not taken: not readable',
  'policy.unsigned': 'Policy not taken: not signed',
  'policy.foreign': 'Policy not taken: for another site',
  'policy.replayed': 'Policy not taken: an old version',
  'policy.not-yet-valid': 'Policy not taken: not valid yet',
  'policy.needs-two-signatures': 'Policy not taken: two signatures needed',
  'policy.invalid': 'Policy not taken: at fault',
  'policy.unreadable': 'The policy cannot be read',
  'zones.old': 'Time zone rules are old',
  'callee.redirected': 'Callee’s side redirected',
  'trunk.bye-refused': 'Trunk refused to end a call',
  'trunk.down': 'Trunk does not answer',
  'trunk.refresh-failed': 'Trunk lost a call',
  'trunk.registered': 'Registered at the trunk again',
  'trunk.unregistered': 'Trunk does not register us',
  'trunk.up': 'Trunk answers again',
} as const;
