import { createRoute, z } from '@hono/zod-openapi';
import { textTag } from '../../core/etag.ts';
import type { Meant } from '../../ports/runner-gateway.ts';
import { name } from '../contract/common.ts';
import { changeSettingsSchema, replaceSettingsSchema, settingsSchema } from '../contract/settings.ts';
import type { SettingsItem } from '../contract/settings.ts';
import { etag, ifMatch } from '../if-match.ts';
import { answers, jsonBody, ownerOnly, tagged, TOWN_PATH, type App } from './shared.ts';

/** The town's file as a host keeps it. */
export interface SettingsState {
  readonly text: string;
  readonly withoutEffect: readonly string[];
}

type Value = string | number | boolean | readonly string[] | Readonly<Record<string, string | number>>;

export interface SettingsDoor {
  state(): Promise<SettingsState>;
  change(
    changes: readonly { readonly key: string; readonly value: Value | null }[],
    meant: Meant,
  ): Promise<SettingsState>;
  replace(text: string, meant: Meant): Promise<SettingsState>;
  /** Applies the text as it is kept, which somebody may have edited. Errors: those of the parser and of the town. */
  reload(): Promise<SettingsState>;
}

const path = `${TOWN_PATH}/settings`;
const town = z.object({ town: name });

const show = createRoute({
  method: 'get',
  path,
  security: ownerOnly,
  request: { params: town },
  responses: tagged(settingsSchema, 'The settings of the town, as a file'),
});
const change = createRoute({
  method: 'post',
  path,
  security: ownerOnly,
  request: { params: town, ...ifMatch, ...jsonBody(changeSettingsSchema) },
  responses: answers(settingsSchema, 'The settings with all changes in them; they hold at once'),
});
const replace = createRoute({
  method: 'put',
  path,
  security: ownerOnly,
  request: { params: town, ...ifMatch, ...jsonBody(replaceSettingsSchema) },
  responses: answers(settingsSchema, 'The settings; they hold at once'),
});
const reload = createRoute({
  method: 'post',
  path: `${path}/reload`,
  security: ownerOnly,
  request: { params: town },
  responses: answers(settingsSchema, 'The settings, read again; they hold at once'),
});

export function registerSettings(app: App, door: SettingsDoor): void {
  app.openapi(show, async (c) => {
    const state = await door.state();
    return c.json(present(state), 200, etag(textTag(state.text)));
  });
  app.openapi(change, async (c) =>
    c.json(present(await door.change(c.req.valid('json').changes, c.get('caller'))), 200),
  );
  app.openapi(replace, async (c) =>
    c.json(present(await door.replace(c.req.valid('json').text, c.get('caller'))), 200),
  );
  app.openapi(reload, async (c) => c.json(present(await door.reload()), 200));
}

const present = (state: SettingsState): SettingsItem => ({
  text: state.text,
  without_effect: [...state.withoutEffect],
});
