/** The `script` runtime's process: runs a recipe like any agent would, then says done. Uses Node itself and next to nothing else: it starts with each attempt. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { EXIT_NO_RECIPE } from '../../core/recipe.ts';

/** `EX_NOPERM` of sysexits, so that a reader of the exit code can tell it from a recipe's own codes. */
const EXIT_NOT_ALLOWED = 77;
const EXIT_REFUSED = 1;
/** Longer than the default wait for a verdict. */
const DONE_TIMEOUT_MS = 90_000;

interface Recipe {
  readonly allowed: boolean;
  readonly title: string;
  readonly blocks: readonly string[];
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

// It is ours alone: a recipe's own Node programs keep their caches where they want.
delete process.env['NODE_COMPILE_CACHE'];
process.exitCode = await main(process.argv[2] ?? '');

async function main(recipeFile: string): Promise<number> {
  say('[script] Running a recipe. This is not an AI agent.');
  const recipe = JSON.parse(readFileSync(recipeFile, 'utf8')) as Recipe;
  if (!recipe.allowed) {
    say('[script] Refused: recipes run only where a person wrote the bead.');
    return EXIT_NOT_ALLOWED;
  }
  if (recipe.blocks.length === 0) {
    say('[script] Nothing to run: the bead has no code block tagged "gt-script".');
    return EXIT_NO_RECIPE;
  }
  const intent = join(process.env['GT_STATE_DIR'] ?? '.', 'done.json');
  for (const block of recipe.blocks) {
    const code = await runBlock(block);
    if (code === 0) continue;
    if (existsSync(intent)) break;
    say(`[script] The recipe ended with exit code ${String(code)}.`);
    return code;
  }
  if (existsSync(intent)) {
    say('[script] The recipe said done by itself.');
    return 0;
  }
  return done(intent, recipe.title);
}

function runBlock(path: string): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-e', path], { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', (error) => {
      say(`[script] sh could not be started: ${error.message}`);
      resolve(127);
    });
    child.on('close', (code, signal) => {
      if (signal !== null) say(`[script] The recipe was ended by ${signal}.`);
      resolve(code ?? 128);
    });
  });
}

async function done(intentFile: string, title: string): Promise<number> {
  const claim = { summary: title, commit: title };
  writeFileSync(intentFile, JSON.stringify({ ...claim, at: Date.now() }));
  try {
    const answer = await post('/agent/done', JSON.stringify(claim));
    say(`[script] done: ${wordsOf(answer.text)}`);
    // No change at all is not an error of the recipe: the system asks what was meant.
    return answer.status === 200 || answer.text.includes('"no_commits"') ? 0 : EXIT_REFUSED;
  } catch (error) {
    say(
      `[script] done could not be said (${error instanceof Error ? error.message : 'unknown'}); the intent is on disk and counts.`,
    );
    return 0;
  }
}

/** The answer in words: its last line is what people read when the attempt ends. */
function wordsOf(answer: string): string {
  try {
    const data: unknown = JSON.parse(answer);
    const inner: unknown = typeof data === 'object' && data !== null && 'error' in data ? data.error : data;
    const fields = new Map<string, unknown>(typeof inner === 'object' && inner !== null ? Object.entries(inner) : []);
    const word = (name: string): string => (typeof fields.get(name) === 'string' ? String(fields.get(name)) : '');
    const sentences = [word('message') || word('detail'), word('next')].filter((text) => text !== '').join(' ');
    const said = [word('verdict'), sentences].filter((text) => text !== '').join(': ');
    return said === '' ? 'the answer says nothing' : said;
  } catch {
    return answer;
  }
}

async function post(path: string, body: string): Promise<{ readonly status: number; readonly text: string }> {
  // Only needed at the end: the recipe need not wait for it to load.
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${process.env['GT_TOKEN'] ?? ''}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    };
    const outgoing = request(
      { socketPath: process.env['GT_RUNNER_SOCKET'], method: 'POST', path, headers, timeout: DONE_TIMEOUT_MS },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk: string) => {
          text += chunk;
        });
        incoming.on('end', () => {
          resolve({ status: incoming.statusCode ?? 0, text });
        });
        incoming.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.on('timeout', () => {
      outgoing.destroy(new Error('no answer in time'));
    });
    outgoing.end(body);
  });
}
