import type { FastifyInstance } from 'fastify';
import type { ScoreOrder, SheetView } from '../api/work.js';
import { madeBy } from '../caller.js';
import { ConsoleFault } from '../fault.js';
import { audited, type House } from '../house.js';

const SCORE = {
  type: 'object',
  required: ['call', 'points'],
  additionalProperties: false,
  properties: {
    call: { type: 'string', pattern: '^[A-Za-z0-9-]{1,64}$' },
    points: {
      type: 'object',
      minProperties: 1,
      maxProperties: 20,
      propertyNames: { pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' },
      // No type: whatever is no such number is to be refused, and not made one.
      additionalProperties: { enum: [0, 1, 2, 3, 4, 5] },
    },
  },
};

/** What came of the work; and, for supervisors, the score sheets of its calls. */
export function workRoutes(app: FastifyInstance, house: House): void {
  const { source } = house;
  app.get('/api/work', async () => source.work());
  app.get('/api/work/sheets', async () => source.sheets());

  app.post<{ Body: ScoreOrder }>('/api/work/scores', { schema: { body: SCORE } }, async (request) => {
    const { call, points } = request.body;
    const before = source.sheet(call);
    if (before === undefined) {
      throw new ConsoleFault(404, 'call.unknown', `no call ${call} of a campaign that has criteria is on record`);
    }
    checkWhole(before, points);
    const by = madeBy(request);
    const change = { ...by, what: 'call-scored', subject: `call ${call}`, before: before.points, after: points };
    audited(house, change, () => source.score({ call, points }, `console:${by.who}`));
    return source.sheet(call);
  });
}

/** Throws unless there is one score for each criterion, and no other. */
function checkWhole({ campaign, criteria }: SheetView, points: ScoreOrder['points']): void {
  const names = criteria.map(({ id }) => id);
  const wrong = names.find((id) => !Object.hasOwn(points, id)) ?? Object.keys(points).find((id) => !names.includes(id));
  if (wrong === undefined) return;
  const what = names.includes(wrong) ? `there is no score for ${wrong}` : `${wrong} is no criterion of ${campaign}`;
  throw new ConsoleFault(400, 'form', `${what}; the criteria are ${names.join(', ')}`);
}
