/** The API from its own document, in this process; the long form is `npm run fuzz`. */
import { describe, expect, it } from 'vitest';
import { operationsOf } from '../fuzz/document.ts';
import { faultOf, type Reply } from '../fuzz/judge.ts';
import type { Draft } from '../fuzz/requests.ts';
import { fuzz, show } from '../fuzz/run.ts';
import { virtualSide } from '../fuzz/virtual-side.ts';

/** A fixed seed: a failure must come again. `GT_FUZZ_SEED` tries others. */
const SEED = Number(process.env['GT_FUZZ_SEED'] ?? 20_261_121);
const CALLS = 150;
const everything = { seed: SEED, leaveOut: () => false };

describe('the API, asked anything', () => {
  it('answers or refuses in plain words, and what it refuses changes no row', async () => {
    const side = await virtualSide();
    const outcome = await fuzz(side, { ...everything, runs: CALLS });
    await side.close();
    expect(outcome.findings.map((finding) => show(finding, SEED))).toEqual([]);
    expect(outcome.calls).toBe(CALLS);
    // A fuzz whose calls are all refused at the door shows nothing.
    expect(outcome.accepted.size).toBeGreaterThan(15);
    expect(outcome.byCode.size).toBeGreaterThan(15);
  });

  it('is found out when it keeps what it refused', async () => {
    const side = await virtualSide();
    const keeps = { ...side, changed: () => Promise.resolve(true) };
    const { findings } = await fuzz(keeps, { ...everything, runs: 30, findingsMax: 1 });
    expect(findings.map(({ what }) => what)).toEqual([expect.stringContaining('but rows changed')]);
    await side.close();
  });
});

describe('the judge of an answer', () => {
  const text = { type: 'string' };
  const [operation] = operationsOf({
    paths: {
      '/things': {
        post: {
          security: [{ owner: [] }],
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: { type: 'object', properties: { title: text }, required: ['title'] } },
            },
          },
          responses: {
            200: {
              content: {
                'application/json': { schema: { type: 'object', properties: { id: text }, required: ['id'] } },
              },
            },
          },
        },
      },
    },
  });
  if (operation === undefined) throw new Error('no operation');
  const draft: Draft = {
    level: 'valid',
    operation,
    method: 'POST',
    path: '/things',
    credential: 'owner',
    headers: {},
    body: '{"title":"a"}',
    mustRefuse: null,
  };
  const json = (value: unknown, status = 200, type = 'application/json'): Reply => ({
    status,
    type,
    text: JSON.stringify(value),
  });
  const problem = (status: number, fields: object = {}): Reply =>
    json({ code: 'bad_field', next: 'Send another.', status, ...fields }, status, 'application/problem+json');

  it.each([
    ['a right answer', draft, json({ id: 'a' }), null],
    ['a right refusal', draft, problem(400), null],
    ['a runner that is away', draft, problem(503, { code: 'runner_away' }), null],
    ['any other 503', draft, problem(503, { code: 'internal' }), '503 internal'],
    ['a fault of the town', draft, problem(500), '500 bad_field'],
    ['a refusal without a next step', draft, problem(404, { next: '' }), 'no problem+json'],
    ['a refusal as plain JSON', draft, { ...problem(404), type: 'application/json' }, 'no problem+json'],
    ['a problem of another status', draft, problem(404, { status: 400 }), 'its problem says 400'],
    ['a field too few', draft, json({}), 'not what the document says: id'],
    ['a field that the document does not name', draft, json({ id: 'a', secret: 1 }), 'not what the document says'],
    ['another kind of text', draft, { status: 200, type: 'text/html', text: '' }, 'which the document does not know'],
    ['an accepted body that is not allowed', { ...draft, body: '{"title":1}' }, json({ id: 'a' }), 'does not allow'],
    [
      'an accepted wrong credential',
      { ...draft, mustRefuse: 'it is of another kind' },
      json({ id: 'a' }),
      'accepted although',
    ],
  ])('judges %s', (_, asked, reply, fault) => {
    if (fault === null) expect(faultOf(asked, reply)).toBeNull();
    else expect(faultOf(asked, reply)).toContain(fault);
  });
});
