/** Headquarters as one running whole: ingest, fleet page, metrics, retention. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import cron from 'node-cron';
import type { Logger } from 'pino';
import type { HeadquartersConfig } from '../../config/schema/types.generated.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { validatorOf } from '../../gateway/config/schemas.js';
import type { BrokerAccess } from './broker-client.js';
import { ContactLender } from './contact-lender.js';
import { Countersigner } from './countersigner.js';
import { startFleetServer } from './fleet-server.js';
import { HeadquartersMetrics } from './headquarters-metrics.js';
import { Ingester } from './ingester.js';
import { poolSeal } from './pool-seal.js';
import type { Database } from './records/database.js';
import { openDatabase } from './records/schema.js';
import type { SigningKey } from './sign-command.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Every night; whatever the hour, each process drops what is old, and twice does no harm. */
const NIGHTLY = '17 3 * * *';

/** Thrown when headquarters.json is at fault; the message says what, where and what to do. */
export class HeadquartersFault extends Error {
  override readonly name = 'HeadquartersFault';
  readonly exitCode = 78;
}

/** Reads headquarters.json; paths in it become absolute. Throws a `HeadquartersFault`. */
export function readConfig(file: string): HeadquartersConfig {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (fault) {
    throw new HeadquartersFault(
      `${file} cannot be read (${fault instanceof Error ? fault.message : fault}); write it as config/README.md says`,
    );
  }
  const validate = validatorOf('headquarters') as ValidateFunction<HeadquartersConfig>;
  if (!validate(value)) {
    const faults = (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${instancePath || '/'} ${message}${'additionalProperty' in params ? ` (${params.additionalProperty})` : ''}`,
    );
    throw new HeadquartersFault(`${file}: ${faults.join('; ')}`);
  }
  const at = (path: string) => resolve(dirname(file), path);
  const { database, listen } = value;
  const paths = ['ca', 'cert', 'key', 'signingKey', 'gatewayCa', 'contactsKey'] as const;
  return {
    ...value,
    ...Object.fromEntries(paths.flatMap((name) => (value[name] === undefined ? [] : [[name, at(value[name])]]))),
    database:
      database.startsWith('sqlite:') && database !== 'sqlite::memory:'
        ? `sqlite:${at(database.slice('sqlite:'.length))}`
        : database,
    listen: {
      ...listen,
      ...(listen.cert === undefined ? {} : { cert: at(listen.cert) }),
      ...(listen.key === undefined ? {} : { key: at(listen.key) }),
    },
  };
}

/** How headquarters.json says that the broker is reached: its files are read now. */
export function accessOf(config: HeadquartersConfig): BrokerAccess {
  const { username, password, ca, cert, key } = config;
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    ...(cert === undefined ? {} : { cert: readFileSync(cert) }),
    ...(key === undefined ? {} : { key: readFileSync(key) }),
  };
}

export interface RunningHeadquarters {
  readonly url: string;
  readonly db: Database;
  readonly ingester: Ingester;
  stop(): Promise<void>;
}

export interface ServeOptions {
  readonly config: HeadquartersConfig;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Instead of what `signingKey` names. */
  readonly key?: SigningKey;
}

/** Starts headquarters. Rejects when the database, a file or the page's port cannot be had; a broker that is away is waited for. */
export async function serve({ config, clock, log, key }: ServeOptions): Promise<RunningHeadquarters> {
  const { url, clientId, group, listen, keepDays, silentS, metricsToken } = config;
  const signing = key ?? (config.signingKey === undefined ? undefined : signingKeyIn(config.signingKey));
  const db = await openDatabase(config.database, (fault) => log.warn({ event: 'headquarters.database', err: fault }));
  const metrics = new HeadquartersMetrics(db);
  const countersigner = new Countersigner({
    db,
    clock,
    log,
    ...(signing === undefined ? {} : { key: signing }),
    ...(config.gatewayCa === undefined ? {} : { authority: readFileSync(config.gatewayCa, 'utf8') }),
    order: (gateway, order) => ingester.order(gateway, order),
  });
  const lender =
    signing === undefined || config.contactsKey === undefined
      ? undefined
      : new ContactLender({
          ...{ db, clock, log, key: signing, seal: poolSeal(config.contactsKey) },
          tokenKeys: config.tokenKeys ?? {},
          loanMs: config.loanH * HOUR_MS,
          send: (gateway, jws) => ingester.sendBatch(gateway, jws),
        });
  const ingester: Ingester = new Ingester({
    url,
    connection: accessOf(config),
    clientId,
    ...(group === undefined ? {} : { group }),
    db,
    clock,
    log,
    ...(signing === undefined ? {} : { key: signing }),
    silentMs: silentS * 1_000,
    onStored: (fresh, duplicates, tookMs) => {
      metrics.stored.inc(fresh.length);
      metrics.duplicates.inc(duplicates);
      metrics.seconds.observe(tookMs / 1_000);
      countersigner.see(fresh);
      lender?.see(fresh);
    },
    onRefused: () => metrics.refused.inc(),
    onAsked: () => metrics.asked.inc(),
  });
  const server = await startFleetServer({
    address: listen.address,
    port: listen.port,
    db,
    clock,
    ingester,
    ...(listen.cert === undefined || listen.key === undefined
      ? {}
      : { tls: { cert: readFileSync(listen.cert), key: readFileSync(listen.key) } }),
    metrics: () => metrics.read(),
    ...(metricsToken === undefined ? {} : { metricsToken }),
  });
  const nightly = cron.schedule(NIGHTLY, () => {
    ingester.retire(keepDays * DAY_MS).then(
      (events) => log.info({ event: 'headquarters.retired', events }),
      (fault: unknown) => log.error({ event: 'headquarters.not-retired', err: fault }),
    );
  });
  void ingester.start();
  lender?.start();
  return {
    url: server.url,
    db,
    ingester,
    stop: async () => {
      await nightly.stop();
      await server.close();
      await lender?.stop();
      await ingester.stop();
      await countersigner.settled();
      await db.close();
    },
  };
}

/** The private key in a file. Throws a `HeadquartersFault` when it is none. */
export function signingKeyIn(file: string): SigningKey {
  let key: Partial<SigningKey>;
  try {
    key = JSON.parse(readFileSync(file, 'utf8')) as Partial<SigningKey>;
  } catch (fault) {
    throw new HeadquartersFault(`${file} cannot be read: ${fault instanceof Error ? fault.message : fault}`);
  }
  if (key.kty === 'OKP' && typeof key.d === 'string' && typeof key.kid === 'string') return key as SigningKey;
  throw new HeadquartersFault(`${file} is no private Ed25519 key with a kid; \`balise keys new\` makes one`);
}
