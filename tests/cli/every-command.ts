/** What is run of every command of `balise` at a terminal, and what a person is to see. */

/** Where things are, and on which ports. */
export interface Places {
  /** A site whose gateway runs, with a board. */
  readonly site: string;
  /** One whose gateway does not run, and that takes signed policy. */
  readonly stopped: string;
  /** A folder with the files of `filesOf`, and for what is made. */
  readonly at: (name: string) => string;
  /** Where a board answers that is none of the site's. */
  readonly boardPort: number;
}

export interface Row {
  readonly args: readonly string[];
  readonly status: number;
  /** In what is seen, without the terminal's own signs. */
  readonly shows: RegExp;
  /** What is asked, and what a person types then. */
  readonly types?: readonly (readonly [asks: string, keys: string])[];
  /** A table or a text that is to fit the terminal, line by line. */
  readonly fits?: true;
}

const PASSWORD = 'a wholly new password\r';
const PIN = '4817\r';

const well = (shows: RegExp, ...args: readonly string[]): Row => ({ args, status: 0, shows });
const fits = (shows: RegExp, ...args: readonly string[]): Row => ({ args, status: 0, shows, fits: true });
const ends = (status: number, shows: RegExp, ...args: readonly string[]): Row => ({ args, status, shows });
const asked = (asks: string, keys: string, row: Row): Row => ({ ...row, types: [[asks, keys]] });

/** In an order in which each finds what it needs. */
export function rowsOf({ site: folder, stopped: other, at, boardPort }: Places): readonly Row[] {
  const site = ['--site', folder];
  const stopped = ['--site', other];
  const config = ['--config', at('headquarters.json')];
  const fresh = ['--name', 'north', '--country', 'BE', '--language', 'fr', '--caller', '+442079460900'];
  const nets = ['--cell', '10.20.0.1', '--cell-network', '10.20.0.0/16', '--carrier', '10.30.0.1'];
  const trunk = ['--trunk-host', 'sip.carrier.example', '--trunk-network', '198.51.100.0/24', '--allow', '+4420*'];
  const given = ['--zone', 'Europe/Brussels', '--gateway', 'gw-1', '--wing', 'a', '--trunk-port', '5060'];
  const span = ['--from', '2026-01-01', '--to', '2026-01-02'];
  const warrant = ['--person', 'p-1', '--from', '2026-03-04T08:00:00Z', '--until', '2026-03-05T08:00:00Z'];
  return [
    well(/is a sound site/, 'init', at('new'), ...fresh, ...nets, ...trunk, ...given, '--console', '127.0.0.1'),
    ends(64, /is there already, and is not empty/, 'init', at('new'), ...fresh),
    well(/handsets/, 'check', folder),
    ends(78, /\/nowhere/, 'check', '/nowhere'),
    fits(/node .*Node \d+/, 'doctor', '--only', 'node,zones,prompts', ...site),
    ends(64, /there is no check "rain"/, 'doctor', '--only', 'rain', ...site),
    well(/granted/, 'explain', ...site, '--handset', 'a-101', '--number', '+442079460001'),
    ends(1, /number\.not-sanctioned/, 'explain', ...site, '--handset', 'a-101', '--number', '+442079460999999'),
    ends(64, /--number is missing/, 'explain', ...site, '--handset', 'a-101'),
    well(/be-dncm: 1 numbers/, 'dnc', 'import', ...site, '--list', 'be-dncm', '--made', '2026-03-04', at('list.csv')),
    well(/be-dncm/, 'dnc', 'show', ...site),
    ends(1, /be-dncm/, 'dnc', 'find', ...site, '--list', 'be-dncm', '--number', '+442079460000'),
    ends(64, /import, show or find/, 'dnc', ...site),
    well(/"kid": ?"third"/, 'policy', 'keygen', '--kid', 'third', '--key', at('third.jwk')),
    well(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\./m, 'policy', 'sign', '--key', at('warden.jwk'), at('policy.json')),
    well(/version 1.*would be taken/, 'policy', 'verify', ...stopped, at('policy.jws')),
    well(/nothing is in force: all of it is new/, 'policy', 'diff', ...stopped, at('policy.jws')),
    well(/version 1 is in force/, 'policy', 'apply', ...stopped, at('policy.jws')),
    fits(/version 1 for test/, 'policy', 'show', ...stopped),
    ends(1, /replayed/, 'policy', 'apply', ...stopped, at('policy.jws')),
    well(/0 calls/, 'replay', ...stopped, '--policy', at('policy.jws'), ...span),
    ends(64, /--policy is missing/, 'replay', ...stopped),
    well(/trains: taken/, 'campaign', 'set', ...site, '--sound', `en=${at('sound.alaw')}`, at('trains.json')),
    well(/trains: 1 new contacts/, 'campaign', 'import', ...site, '--campaign', 'trains', at('contacts.csv')),
    well(/trains: callees are told/, 'campaign', 'speak', ...site, '--sound', `en=${at('sound.alaw')}`, 'trains'),
    fits(/trains +Example Research/, 'campaign', 'list', ...site),
    ends(64, /there is no campaign ships/, 'campaign', 'speak', ...site, 'ships'),
    asked('PIN: ', PIN, well(/p-1/, 'person', 'add', ...site, '--id', 'p-1', '--code', '3051', ...WORKS)),
    fits(/p-1/, 'person', 'list', ...site),
    asked('PIN: ', PIN, well(/p-1/, 'person', 'pin', ...site, '--id', 'p-1')),
    well(/p-1/, 'person', 'suspend', ...site, '--id', 'p-1'),
    ends(64, /--id is missing/, 'person', 'suspend', ...site),
    well(/p-1\.html: written/, 'statement', ...site, '--person', 'p-1', '--month', '2026-03', '--out', at('p-1.html')),
    well(/every figure follows from them/, 'statement', 'verify', at('p-1.html'), ...site),
    well(
      /5 minutes for trains, appended/,
      'statement',
      'correct',
      ...site,
      '--person',
      'p-1',
      '--month',
      '2026-03',
      ...CORRECTION,
      '--key',
      at('hq.jwk'),
    ),
    ends(64, /--month/, 'statement', ...site, '--person', 'p-1', '--month', 'march'),
    ends(
      64,
      /there is no such call/,
      'quality',
      'score',
      ...site,
      '--call',
      'none',
      '--by',
      'x',
      '--key',
      at('hq.jwk'),
    ),
    fits(/nothing yet/, 'quality', 'results', ...site),
    asked('password', PASSWORD, well(/"MD5": ?"[0-9a-f]{32}"/, 'ha1', '--user', 'a101')),
    ends(64, /--user is missing/, 'ha1'),
    well(/a-104: added/, 'handset', 'add', 'a-104', '--wing', 'a', '--profile', 'test', ...site),
    fits(/^handset +wing .*\na-101 /m, 'handset', 'list', ...site),
    fits(/account +a104@/, 'handset', 'show', 'a-104', ...site),
    well(/a-104: changed/, 'handset', 'replace', 'a-104', '--model', 'generic', '--mac', 'c074ad000201', ...site),
    well(/c074ad000201: key this in/, 'handset', 'provision', 'a-104', '--rotate', ...site),
    well(/a-104: changed \(enabled\)/, 'handset', 'disable', 'a-104', ...site),
    well(/a-104: changed \(enabled\)/, 'handset', 'enable', 'a-104', ...site),
    fits(/1 added/, 'handset', 'import', at('wing.csv'), ...site),
    well(/a-104: removed/, 'handset', 'remove', 'a-104', ...site),
    fits(/^HT814 +4$/m, 'handset', 'models'),
    ends(64, /no handset "a-999"/, 'handset', 'show', 'a-999', ...site),
    fits(/clock +trusted/, 'status', ...site),
    ends(69, /no gateway of the site .* runs/, 'status', ...stopped),
    fits(/no such call/, 'calls', '--history', ...site),
    ends(64, /filters are for --history/, 'calls', '--outcome', 'refused', ...site),
    ends(1, /no call none is up or on record/, 'why', 'none', ...site),
    ends(64, /no kind "rain"/, 'tail', '--only', 'rain', ...site),
    well(/a-101: 0 calls ended/, 'cut', 'handset', 'a-101', '--reason', 'a test', '--hold', '1', ...site),
    well(/wing a: 0 calls ended/, 'cut', 'wing', 'a', '--reason', 'a test', '--hold', '1', ...site),
    ends(64, /--reason is missing/, 'cut', 'site', ...site),
    well(/a-101: released/, 'release', 'handset', 'a-101', ...site),
    ends(1, /no wing z/, 'release', 'wing', 'z', ...site),
    asked('password of anna: ', PASSWORD, well(/anna/, 'staff', 'add', 'anna', '--role', 'administrator', ...site)),
    asked('password of bert: ', PASSWORD, well(/bert/, 'staff', 'add', 'bert', '--role', 'auditor', ...site)),
    fits(/bert +auditor/, 'staff', 'list', ...site),
    asked('password of bert: ', PASSWORD, well(/bert/, 'staff', 'passwd', 'bert', ...site)),
    well(/may log in no more/, 'staff', 'disable', 'bert', ...site),
    well(/bert/, 'staff', 'enable', 'bert', ...site),
    well(/bert/, 'staff', 'remove', 'bert', ...site),
    ends(1, /last administrator/, 'staff', 'remove', 'anna', ...site),
    ends(1, /nothing listens on that port/, 'trunk', 'test', ...site),
    ends(64, /there is no trunk "x"/, 'trunk', 'test', 'x', ...site),
    fits(/a-101 +a +on/, 'line', 'list', ...site),
    well(/the relay opened after \d+ ms and closed again/, 'line', 'test', 'a-101', ...site),
    well(/a-101: 0 calls ended/, 'line', 'cut', 'a-101', '--reason', 'a test', ...site),
    well(/a-101: released/, 'line', 'release', 'a-101', ...site),
    ends(64, /--reason is missing/, 'line', 'cut', 'a-101', ...site),
    fits(/unit 2: answers/, 'board', 'scan', '--tcp', `127.0.0.1:${boardPort}`, '--units', '1-2'),
    well(
      /b2: added/,
      'board',
      'add',
      'b2',
      '--device',
      'generic-8r8i',
      '--tcp',
      `127.0.0.1:${boardPort}`,
      '--unit',
      '2',
      ...site,
    ),
    well(/into "bus" of site\.json/, 'board', 'agent', 'modbus-1', ...site),
    ends(64, /board "b2" already/, 'board', 'add', 'b2', '--device', 'x', '--tcp', 'a:1', ...site),
    fits(/whole/, 'audit', 'verify', ...site),
    well(/"balise\.console\.changed"/, 'audit', 'export', ...site),
    ends(78, /\/nowhere/, 'audit', 'verify', '/nowhere'),
    well(/site\.balise\.tar\.gz/, 'backup', at('site.balise.tar.gz'), ...site),
    ends(64, /is there already/, 'backup', at('site.balise.tar.gz'), ...site),
    well(/sound/, 'restore', at('site.balise.tar.gz'), '--check'),
    well(/what was there is kept/, 'restore', at('site.balise.tar.gz'), '--site', at('restored')),
    ends(1, /a gateway .*runs/, 'restore', at('site.balise.tar.gz'), ...site),
    well(/BEGIN CERTIFICATE REQUEST/, 'enrol', 'request', ...stopped),
    well(/gateway\.pem/, 'enrol', 'install', at('gw.pem'), ...stopped),
    ends(64, /which certificate/, 'enrol', 'install', ...stopped),
    well(/"kty": ?"OKP"/, 'keys', 'new', at('new.jwk')),
    well(/ca\.key for nobody/, 'keys', 'authority', at('second-authority')),
    well(/BEGIN CERTIFICATE/, 'keys', 'sign', at('gw.csr'), '--authority', at('authority')),
    well(
      /broker\.key, for broker\.example/,
      'keys',
      'server',
      'broker.example',
      '--authority',
      at('authority'),
      '--out',
      at('broker'),
    ),
    ends(64, /--authority/, 'keys', 'sign', at('gw.csr')),
    ends(64, /--config is missing/, 'headquarters'),
    asked(
      'password: ',
      PASSWORD,
      well(/may log in as viewer/, 'headquarters', 'account', 'guest', '--role', 'viewer', ...config),
    ),
    ends(64, /--gateway is missing/, 'headquarters', 'policy', at('policy.jws'), ...config),
    well(
      /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/m,
      'headquarters',
      'sign-warrant',
      '--id',
      'w-1',
      ...warrant,
      ...config,
    ),
    ends(64, /--gateway is missing/, 'headquarters', 'warrant', at('policy.jws'), ...config),
    well(
      /trains: 1 new contacts/,
      'headquarters',
      'contacts',
      at('contacts.csv'),
      '--campaign',
      at('lent.json'),
      '--country',
      'GB',
      ...config,
    ),
    fits(/trains +free +1/, 'headquarters', 'loans', ...config),
    ends(1, /nothing of it is lent/, 'headquarters', 'forfeit', 'no-batch', ...config),
    ends(78, /\/nowhere/, 'headquarters', 'loans', '--config', '/nowhere'),
    well(/complete -o default -F _balise balise/, 'completion', 'bash'),
    well(/#compdef balise/, 'completion', 'zsh'),
    well(/complete -c balise/, 'completion', 'fish'),
    ends(64, /bash, zsh or fish/, 'completion', 'csh'),
    well(/^\d+\.\d+\.\d+$/m, '--version'),
    ends(64, /there is no command "frobnicate"/, 'frobnicate'),
  ];
}

const WORKS = ['--language', 'en', '--handset', 'a-101', '--campaign', 'trains'];
const CORRECTION = ['--campaign', 'trains', '--minutes=5', '--reason', 'a test', '--by', 'duty'];
