/** Checks a CIB that comes from outside: first its form, then whether its ids are unique and its references hold. */
import { fail, ok, type Result } from '@systole/kernel';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { Cib } from '../model/cib.ts';
import type { Configuration } from '../model/configuration.ts';
import { checkReferences } from './references.ts';
import { named } from './values.ts';
import { cib as cibSchema } from './cib.ts';
import { configuration as configurationSchema } from './configuration.ts';

/** What is wrong, and where: `configuration.resources[3].agent`. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** So many problems are told at once; the rest show when these are mended. */
const problemsMax = 20;

/** Accepts `value` as a CIB, or says everything that is wrong with it. */
export const checkCib = (value: unknown): Result<Cib, readonly Problem[]> => {
  const form = checkForm<Cib>('cib', value);
  return form.ok ? withReferences(form.value, form.value.configuration, 'configuration.') : form;
};

/** The same for a configuration without status. */
export const checkConfiguration = (value: unknown): Result<Configuration, readonly Problem[]> => {
  const form = checkForm<Configuration>('configuration', value);
  return form.ok ? withReferences(form.value, form.value, '') : form;
};

function withReferences<T>(value: T, configuration: Configuration, prefix: string): Result<T, readonly Problem[]> {
  const problems = checkReferences(configuration).slice(0, problemsMax);
  return problems.length === 0
    ? ok(value)
    : fail(problems.map(({ path, message }) => ({ path: prefix + path, message })));
}

// Compiling takes some tens of milliseconds, so it waits until a first document comes.
const validators = new Map<string, ValidateFunction>();

function validatorOf(name: 'cib' | 'configuration'): ValidateFunction {
  const known = validators.get(name);
  if (known !== undefined) return known;
  const ajv = new Ajv({
    allErrors: false,
    discriminator: true,
    strict: true,
    strictRequired: false,
    strictTypes: false,
    // The schemas are ours and tested; having them checked against JSON Schema's own would double the time.
    meta: false,
    validateSchema: false,
    // Smaller and quicker to compile; documents are checked rarely, and in microseconds either way.
    inlineRefs: false,
    code: { optimize: false },
  });
  ajv.addSchema(named);
  const compiled = ajv.compile(name === 'cib' ? cibSchema : configurationSchema);
  validators.set(name, compiled);
  return compiled;
}

function checkForm<T>(name: 'cib' | 'configuration', value: unknown): Result<T, readonly Problem[]> {
  const validate = validatorOf(name);
  if (validate(value)) return ok(value as T);
  return fail((validate.errors ?? []).slice(0, problemsMax).map((error) => toProblem(error, value)));
}

function toProblem(error: ErrorObject, value: unknown): Problem {
  const extra = error.keyword === 'additionalProperties' ? `: ${String(error.params['additionalProperty'])}` : '';
  const choices = error.keyword === 'enum' ? `: ${(error.params['allowedValues'] as string[]).join(', ')}` : '';
  return { path: readablePath(error.instancePath, value), message: `${error.message ?? 'is wrong'}${extra}${choices}` };
}

/** `/configuration/resources/3/id` with an element's id in place of its index where it has one. */
function readablePath(pointer: string, value: unknown): string {
  let current: unknown = value;
  let path = '';
  for (const part of pointer.split('/').slice(1)) {
    const isElement = Array.isArray(current);
    current = (current as Record<string, unknown> | undefined)?.[part];
    const id = (current as { readonly id?: unknown } | undefined)?.id;
    path += isElement ? `[${typeof id === 'string' ? id : part}]` : `${path === '' ? '' : '.'}${part}`;
  }
  return path === '' ? 'the document' : path;
}
