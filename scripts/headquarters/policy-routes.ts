/** Policy from the fleet page: a bundle that was signed off line is shown with what it changes, sent, and answered. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PolicyBundle } from '../../config/schema/types.generated.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { BundleFault, bundleDigest, checkBundle, payloadOf } from '../../gateway/policy-bundle/bundle.js';
import type { Account, Role } from './accounts.js';
import type { Ingester } from './ingester.js';
import { type Difference, differences } from './policy-diff.js';
import { newestPolicy } from './policy-sent.js';
import type { Database } from './records/database.js';

export interface PolicyRoutesOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly ingester: Pick<Ingester, 'sendPolicy'>;
}

/** Lets a request in when its account's role is enough; else it has been answered. */
type Admit = (request: FastifyRequest, reply: FastifyReply, role: Role) => Promise<Account | undefined>;

/** What a bundle would change, as it is shown before it is sent. */
export interface PolicyPreview {
  readonly version: number;
  readonly validFrom: string;
  /** Keys that its lines say they are signed by; the gateway, and nobody before it, verifies them. */
  readonly signedBy: readonly string[];
  readonly digest: string;
  /** The version that it is compared with: the newest that this gateway took from here. Absent: none, and all of it is new. */
  readonly comparedWith?: number;
  readonly changes: readonly Difference[];
}

/** A policy of some thousand rules is far below it, bytes. */
const MOST_BYTES = 8 * 1_048_576;

export function policyRoutes(
  app: FastifyInstance,
  { db, clock, ingester }: PolicyRoutesOptions,
  admit: Admit,
  gateway: object,
): void {
  const bundle = { type: 'string', minLength: 1, maxLength: MOST_BYTES };
  const schema = (required: readonly string[], more: object = {}) => ({
    bodyLimit: MOST_BYTES + 1_024,
    schema: {
      body: { type: 'object', additionalProperties: false, required, properties: { gateway, bundle, ...more } },
    },
  });
  const fault = (reply: FastifyReply, what: unknown): FastifyReply => {
    if (what instanceof BundleFault || what instanceof SyntaxError)
      return reply.code(400).send({ error: `It is no bundle for this gateway: ${what.message}.` });
    throw what;
  };

  app.post<{ Body: { gateway: string; bundle: string } }>(
    '/api/policy/preview',
    schema(['gateway', 'bundle']),
    async (request, reply) => {
      if ((await admit(request, reply, 'operator')) === undefined) return reply;
      try {
        return await preview(db, request.body.gateway, request.body.bundle);
      } catch (what) {
        return fault(reply, what);
      }
    },
  );
  app.post<{ Body: { gateway: string; bundle: string; digest: string } }>(
    '/api/policy',
    schema(['gateway', 'bundle', 'digest'], { digest: { type: 'string', pattern: '^[0-9a-f]{64}$' } }),
    async (request, reply) => {
      const account = await admit(request, reply, 'operator');
      if (account === undefined) return reply;
      const { gateway: of, bundle: text, digest } = request.body;
      if (bundleDigest(text) !== digest) return reply.code(409).send({ error: 'It is not the bundle that was shown.' });
      try {
        const { version } = bundleFor(of, text);
        const beganNs = clock.monotonicNs();
        const ack = await ingester.sendPolicy(of, text, { version, by: account.name });
        return { ack, roundTripMs: Number(clock.monotonicNs() - beganNs) / 1e6 };
      } catch (what) {
        if (what instanceof BundleFault || what instanceof SyntaxError) return fault(reply, what);
        return reply.code(504).send({ error: `${of}: ${what instanceof Error ? what.message : String(what)}` });
      }
    },
  );
}

/** What a bundle says of itself; no signature is verified here. Throws a `BundleFault` or a `SyntaxError`. */
function bundleFor(gateway: string, text: string): PolicyBundle {
  const bundle = checkBundle(JSON.parse(payloadOf(text).toString('utf8')));
  if (!gateway.startsWith(`${bundle.site}/`)) throw new BundleFault('foreign', `it is for the site ${bundle.site}`);
  return bundle;
}

async function preview(db: Database, gateway: string, text: string): Promise<PolicyPreview> {
  const bundle = bundleFor(gateway, text);
  const before = await newestPolicy(db, gateway);
  const old = before === undefined ? undefined : bundleFor(gateway, before);
  const signers = text.split('\n').filter((line) => line.trim() !== '');
  return {
    version: bundle.version,
    validFrom: bundle.validFrom,
    signedBy: [...new Set(signers.map(kidOf))],
    digest: bundleDigest(text),
    ...(old !== undefined && { comparedWith: old.version }),
    changes: differences(old ?? {}, bundle),
  };
}

function kidOf(line: string): string {
  const header = JSON.parse(Buffer.from(line.split('.')[0] ?? '', 'base64url').toString('utf8')) as { kid?: unknown };
  return typeof header.kid === 'string' ? header.kid : 'nobody';
}
