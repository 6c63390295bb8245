import type { FastifyInstance } from 'fastify';
import type { CutOrder, CutTarget, ReleaseOrder } from '../api/orders.js';
import type { SiteView } from '../api/site.js';
import { madeBy } from '../caller.js';
import { ConsoleFault } from '../fault.js';
import type { House } from '../house.js';
import { targetName } from '../target-name.js';
import { TARGET } from './forms.js';

const DAY_S = 86_400;
const CUT = {
  type: 'object',
  required: ['target', 'reason', 'holdS'],
  additionalProperties: false,
  properties: {
    target: TARGET,
    reason: { type: 'string', minLength: 1, maxLength: 200, pattern: '\\S' },
    holdS: { anyOf: [{ type: 'integer', minimum: 1, maximum: DAY_S }, { const: 'until-released' }] },
  },
};
const RELEASE = {
  type: 'object',
  required: ['target'],
  additionalProperties: false,
  properties: { target: TARGET },
};

/** Orders of people: to cut, and to lift what was cut. Nothing here can allow a call that policy refuses. */
export function orderRoutes(app: FastifyInstance, { source }: House): void {
  app.post<{ Body: CutOrder }>('/api/cutoffs', { schema: { body: CUT } }, async (request) => {
    const { target, reason, holdS } = request.body;
    checkKnown(source.view(), target);
    const before = source.standing(target);
    const by = madeBy(request);
    // The calls first, and then the chain: a disk that is full keeps nobody from ending a call.
    const hold = holdS === 'until-released' ? holdS : holdS * 1_000;
    const view = await source.cut(target, reason, hold, `console:${by.who}`);
    source.audited({ ...by, what: 'cut', subject: targetName(target), reason, before, after: { holdS, ...view } });
    return view;
  });

  app.post<{ Body: ReleaseOrder }>('/api/releases', { schema: { body: RELEASE } }, async (request) => {
    const { target } = request.body;
    checkKnown(source.view(), target);
    const before = source.standing(target);
    const by = madeBy(request);
    if (!source.release(target, `console:${by.who}`)) {
      throw new ConsoleFault(503, 'disk', 'the disk cannot take it: what was ordered stands');
    }
    source.audited({ ...by, what: 'released', subject: targetName(target), before, after: null });
    return { released: true };
  });
}

/** Throws when the site has no such handset or wing. */
function checkKnown(view: SiteView, target: CutTarget): void {
  const isKnown =
    target.kind === 'site' ||
    (target.kind === 'wing'
      ? view.wings.some(({ wing }) => wing === target.wing)
      : view.handsets.some(({ handset }) => handset === target.handset));
  if (isKnown) return;
  const code = target.kind === 'wing' ? 'wing.unknown' : 'handset.unknown';
  throw new ConsoleFault(404, code, `there is no ${targetName(target)} on this site`);
}
