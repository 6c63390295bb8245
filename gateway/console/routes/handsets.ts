import type { FastifyInstance } from 'fastify';
import { languageOf, madeBy } from '../caller.js';
import { ConsoleFault } from '../fault.js';
import type { House } from '../house.js';
import { isDate, isZone, needed } from './forms.js';

interface OfHandset {
  Params: { readonly id: string };
}
const PARAMS = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string', minLength: 1, maxLength: 64 } },
};

/** A handset, and a question with nothing in it but these. */
const asking = (properties: object) => ({
  params: PARAMS,
  querystring: { type: 'object', additionalProperties: false, properties },
});

const NOT_TESTED = {
  busy: { code: 'handset.busy', why: 'an audio test of this handset goes on: let it end' },
  held: { code: 'handset.held', why: 'the handset is cut off or disabled: release or enable it, then test' },
  none: { code: 'test.none', why: 'the media plane of this site (media.driver: rtpengine) has no audio test' },
} as const;

/** One handset: how it is, when it may call, and a test of its line. */
export function handsetRoutes(app: FastifyInstance, { source }: House): void {
  const known = <T>(id: string, found: T | undefined): T => {
    if (found !== undefined) return found;
    throw new ConsoleFault(404, 'handset.unknown', `there is no handset "${id}" on this site`);
  };

  app.get<OfHandset>('/api/handsets/:id', { schema: { params: PARAMS } }, async ({ params: { id } }) =>
    known(id, source.handset(id)),
  );

  app.get<OfHandset & { Querystring: { zone?: string; from?: string } }>(
    '/api/handsets/:id/week',
    {
      schema: asking({
        zone: { type: 'string', minLength: 1, maxLength: 64 },
        from: { type: 'string', pattern: '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' },
      }),
    },
    async ({ params: { id }, query: { zone, from } }) => {
      if (zone !== undefined && !isZone(zone))
        throw new ConsoleFault(400, 'form', `querystring/zone: ${zone} is no IANA zone`);
      if (from !== undefined && !isDate(from))
        throw new ConsoleFault(400, 'form', `querystring/from: there is no date ${from}`);
      return known(id, source.week(id, zone, from));
    },
  );

  app.get<OfHandset & { Querystring: { number?: string; country?: string } }>(
    '/api/handsets/:id/when',
    {
      schema: asking({
        number: { type: 'string', minLength: 1, maxLength: 64 },
        country: { type: 'string', pattern: '^[A-Z]{2}$' },
      }),
    },
    async (request) => {
      const { number, country } = request.query;
      const { id } = request.params;
      if ((number === undefined) === (country === undefined)) {
        throw new ConsoleFault(400, 'form', 'querystring: ask for either number or country');
      }
      const question = country === undefined ? { number: needed(number) } : { country };
      return known(id, source.when(id, question, languageOf(request)));
    },
  );

  app.post<OfHandset>('/api/handsets/:id/line-test', { schema: { params: PARAMS } }, async (request) => {
    const { id } = request.params;
    known(id, source.handset(id));
    const view = await source.testLine(id);
    source.audited({ ...madeBy(request), what: 'line-test', subject: id, after: view });
    return view;
  });

  app.post<OfHandset>('/api/handsets/:id/audio-test', { schema: { params: PARAMS } }, async (request) => {
    const { id } = request.params;
    known(id, source.handset(id));
    // The order first, and what came of it by an event of its own: no test without an entry.
    source.audited({ ...madeBy(request), what: 'audio-test', subject: id });
    const view = source.testAudio(id);
    if (typeof view === 'string') {
      const { code, why } = NOT_TESTED[view];
      throw new ConsoleFault(409, code, why);
    }
    return view;
  });
}
