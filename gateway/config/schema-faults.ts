import type { AnySchemaObject, ErrorObject } from 'ajv/dist/2020.js';
import { quoted } from './fault.js';
import { pointerStep, pointerSteps } from './json-text.js';

/** A breach of a schema in words, before its file and line are known. */
export interface Breach {
  readonly pointer: string;
  readonly found: string;
  readonly expected: string;
  readonly hint: string;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text in double quotes',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list [ … ]',
  object: 'an object { … }',
  null: 'null',
};

/** ajv's errors on one value as breaches, in words; `known` gives the value at a pointer. */
export function breaches(errors: readonly ErrorObject[]): Breach[] {
  return withoutEchoes(errors)
    .map(inWords)
    .map((breach) => (breach.hint === '' ? { ...breach, hint: 'correct it' } : breach));
}

/**
 * Drops errors that only repeat others: `propertyNames` after the error on the name itself, and the branches of an `anyOf`
 * that the value was plainly not meant for.
 */
function withoutEchoes(errors: readonly ErrorObject[]): ErrorObject[] {
  let left = errors.filter((error) => error.keyword !== 'propertyNames');
  for (const choice of errors.filter((error) => error.keyword === 'anyOf')) {
    const at = choice.instancePath;
    const branches = left.filter((error) => error !== choice && `${error.instancePath}/`.startsWith(`${at}/`));
    const meant = branches.filter((error) => error.instancePath !== at || error.keyword !== 'type');
    const drop = new Set<ErrorObject>(meant.length > 0 ? [choice] : []);
    for (const error of branches) if (!meant.includes(error)) drop.add(error);
    left = left.filter((error) => !drop.has(error));
  }
  return left;
}

function describe(schema: unknown): string {
  if (typeof schema !== 'object' || schema === null) return '';
  const { description } = schema as AnySchemaObject;
  return typeof description === 'string' ? description : '';
}

function lastStep(pointer: string): string | undefined {
  return pointerSteps(pointer).at(-1);
}

function list(values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(', ');
}

function typeWords(type: unknown): string {
  const names = Array.isArray(type) ? type : [type];
  return names.map((name) => TYPES[String(name)] ?? String(name)).join(', or ');
}

function lowered(text: string): string {
  const sentence = /^.*?(?<!e\.g)[.](?= |$)/s.exec(text)?.[0].slice(0, -1) ?? text;
  return /^[A-Z][a-z ]/.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence;
}

function bounds(schema: AnySchemaObject): string {
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number };
  if (minimum !== undefined && maximum !== undefined) return `from ${minimum} to ${maximum}`;
  return minimum !== undefined ? `${minimum} or more` : `${maximum} or less`;
}

/** The name of `known` that `name` was most likely meant to be: within two letters of it. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const ranked = known.map((candidate) => ({ candidate, distance: lettersApart(name, candidate) }));
  ranked.sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.min(2, Math.floor(name.length / 2)) ? best.candidate : undefined;
}

/** Levenshtein's distance, letters compared without case. */
function lettersApart(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a.toLowerCase()].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b.toLowerCase()].entries()) {
      const change = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function inWords(error: ErrorObject): Breach {
  const at = error.instancePath;
  const parent = (error.parentSchema ?? {}) as AnySchemaObject;
  const about = describe(parent);
  const found = quoted(error.data, lastStep(at));
  const here = { pointer: at, found };
  const params = error.params as Record<string, unknown>;
  if (error.propertyName !== undefined) {
    const pointer = at + pointerStep(error.propertyName);
    return {
      pointer,
      found: quoted(error.propertyName, undefined),
      expected: `a name that is ${lowered(about)}`,
      hint: 'rename it',
    };
  }
  switch (error.keyword) {
    case 'required': {
      const name = String(params.missingProperty);
      const property = (parent.properties as Record<string, unknown> | undefined)?.[name];
      return {
        pointer: at + pointerStep(name),
        found: 'nothing',
        expected: `"${name}", which must be there`,
        hint: `add it: ${describe(property)}`,
      };
    }
    case 'additionalProperties': {
      const name = String(params.additionalProperty);
      const known = Object.keys((parent.properties as object | undefined) ?? {});
      const meant = nearest(name, known);
      return {
        pointer: at + pointerStep(name),
        found: quoted(name, undefined),
        expected: `one of the settings that are known here: ${known.join(', ')}`,
        hint: meant === undefined ? 'remove it, or put it where it belongs' : `did you mean "${meant}"?`,
      };
    }
    case 'type':
      return { ...here, expected: typeWords(params.type), hint: about };
    case 'enum': {
      const allowed = params.allowedValues as readonly unknown[];
      const meant = typeof error.data === 'string' ? nearest(error.data, allowed.map(String)) : undefined;
      return {
        ...here,
        expected: `one of ${list(allowed)}`,
        hint: meant === undefined ? about : `did you mean "${meant}"? ${about}`,
      };
    }
    case 'const':
      return { ...here, expected: JSON.stringify(params.allowedValue), hint: about };
    case 'minimum':
    case 'maximum':
      return { ...here, expected: bounds(parent), hint: about };
    case 'pattern':
    case 'format':
      return { ...here, expected: lowered(about), hint: hintForText(error.data, String(params.format)) };
    case 'minItems':
      return { ...here, expected: `at least ${entries(params.limit)}`, hint: about };
    case 'maxItems':
      return { ...here, expected: `at most ${entries(params.limit)}`, hint: about };
    case 'uniqueItems':
      return {
        pointer: `${at}/${Math.max(Number(params.i), Number(params.j))}`,
        found: quoted((error.data as readonly unknown[])[Number(params.i)], undefined),
        expected: 'each entry once',
        hint: 'remove the second one',
      };
    case 'minLength':
      return { ...here, expected: 'some text', hint: about };
    case 'minProperties':
      return {
        ...here,
        expected: `at least one of ${list(Object.keys((parent.properties as object) ?? {}))}`,
        hint: about,
      };
    case 'discriminator': {
      const tag = String(params.tag);
      return {
        pointer: at + pointerStep(tag),
        found: quoted(params.tagValue, undefined),
        expected: `a "${tag}" that is known`,
        hint: about,
      };
    }
    case 'anyOf':
      return { ...here, expected: lowered(about), hint: about };
    default:
      return { ...here, expected: `${about} (${error.message ?? error.keyword})`, hint: '' };
  }
}

function entries(limit: unknown): string {
  return limit === 1 ? '1 entry' : `${String(limit)} entries`;
}

/** What to do about a text of the wrong form, where the slip can be guessed. */
function hintForText(value: unknown, format: string): string {
  const text = String(value);
  if (format === 'cidr' && /^[0-9a-fA-F.:]+$/.test(text))
    return `did you mean ${text}/${text.includes(':') ? 128 : 32}?`;
  if (format === 'cidr' && /^[0-9a-fA-F.:]+\/[0-9]+$/.test(text))
    return 'bits are set behind the prefix; write the first address of the network';
  if (format === 'iana-zone') return 'write it as in the IANA list, e.g. Europe/Brussels';
  if (/^(00|0)[1-9][0-9 ]+$/.test(text)) return 'write it with + and the country code';
  if (/^\+[0-9]+[ ().-]+[0-9 ().-]*$/.test(text)) return 'leave out spaces, hyphens and brackets';
  if (text !== text.trim()) return 'remove the space at its beginning or end';
  return '';
}
