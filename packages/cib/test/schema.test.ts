import { describe, expect, expectTypeOf, test } from 'vitest';
import { emptyCib, type Cib } from '../src/index.ts';
import { checkCib } from '../src/schema/check.ts';
import type { cib as cibSchema } from '../src/schema/cib.ts';
import type { Described } from '../src/schema/values.ts';

const configured = (part: object): unknown => ({
  ...emptyCib,
  configuration: { ...emptyCib.configuration, ...part },
});
const primitive = (id: string, more: object = {}) => ({
  kind: 'primitive',
  id,
  agent: { class: 'ocf', provider: 'heartbeat', type: 'IPaddr2' },
  meta: [],
  parameters: [],
  operations: { list: [] },
  utilization: [],
  ...more,
});
const problems = (value: unknown) => {
  const result = checkCib(value);
  return result.ok ? [] : result.error.map(({ path, message }) => `${path}: ${message}`);
};

describe('the schema of the CIB', () => {
  test('describes the model, field by field', () => {
    expectTypeOf<Described<typeof cibSchema>>().toExtend<Cib>();
    expectTypeOf<Cib>().toExtend<Described<typeof cibSchema>>();
  });

  test('accepts the CIB of a new cluster and one with resources', () => {
    expect(problems(emptyCib)).toEqual([]);
    expect(problems(configured({ resources: [primitive('vip')] }))).toEqual([]);
  });

  test.for<[string, unknown, string]>([
    [
      'a field that does not exist',
      { ...emptyCib, extra: 1 },
      'the document: must NOT have additional properties: extra',
    ],
    [
      'a word that is not one of the choices',
      configured({ constraints: [{ kind: 'location', id: 'l', resource: 'vip', rules: [], role: 'Master' }] }),
      'configuration.constraints[l].role: must be equal to one of the allowed values: Stopped, Started, Promoted, Unpromoted',
    ],
    [
      'an id that is taken',
      configured({ resources: [primitive('vip'), primitive('vip')] }),
      'configuration.resources[vip]: the id "vip" is taken by resources[vip]; ids are unique',
    ],
    [
      'a constraint on a resource that is not there',
      configured({ constraints: [{ kind: 'order', id: 'o', first: 'a', then: 'b' }], resources: [primitive('a')] }),
      'configuration.constraints[o]: there is no resource, template or tag "b"',
    ],
    [
      'a primitive without agent or template',
      configured({ resources: [primitive('x', { agent: undefined })] }),
      'configuration.resources[x]: a primitive has either an agent or a template',
    ],
  ])('refuses %s, and says where', ([, value, message]) => {
    expect(problems(JSON.parse(JSON.stringify(value)))).toContain(message);
  });

  test('refuses what is no document at all', () => {
    for (const value of [null, 'x', 7, []]) expect(checkCib(value).ok).toBe(false);
  });
});
