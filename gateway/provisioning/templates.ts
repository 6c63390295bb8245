import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PhoneTemplate } from '../../config/schema/types.generated.js';
import { programData } from '../config/paths.js';
import { validatorOf } from '../config/schemas.js';

/**
 * The families of phones on file, by each of their models; checked against the schema. Throws with the file and its faults,
 * or when two families have one model: a fault of the program, not of the site.
 */
export function readTemplates(folder = programData('phones')): ReadonlyMap<string, PhoneTemplate> {
  const templates = new Map<string, PhoneTemplate>();
  const validate = validatorOf('phone');
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
    const file = join(folder, name);
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (!validate(value)) {
      const faults = (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
      throw new Error(`${file}: ${faults.join('; ')}`);
    }
    const template = value as PhoneTemplate;
    for (const model of Object.keys(template.models)) {
      if (templates.has(model)) throw new Error(`${file}: another family has the model ${model} as well`);
      templates.set(model, template);
    }
  }
  return templates;
}

/** The name by which a device asks for its configuration; undefined when it fetches nothing. */
export function fileNameOf(template: PhoneTemplate, mac: string, model: string): string | undefined {
  return template.file?.replaceAll('{mac}', mac).replaceAll('{MAC}', mac.toUpperCase()).replaceAll('{model}', model);
}
