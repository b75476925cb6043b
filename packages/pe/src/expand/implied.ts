/** Resources that follow from others: a bundle's containers and addresses, the connections to guest nodes. */
import type { AttributeSet, Operation, Primitive } from '@systole/cib';

/** One set of these pairs; absent values are left out. */
export const pairs = (values: Readonly<Record<string, string | undefined>>): readonly AttributeSet[] => [
  {
    pairs: Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
  },
];

/** A monitor of an implied resource. */
export const monitor = (interval: string, timeout?: string): Operation => ({
  name: 'monitor',
  interval,
  ...(timeout === undefined ? {} : { timeout }),
  parameters: [],
  meta: [],
});

/** A primitive that nobody configured; characters that an id must not have become dots. */
export function implied(
  id: string,
  provider: string,
  type: string,
  parameters: Readonly<Record<string, string | undefined>>,
  operations: readonly Operation[],
  meta: Readonly<Record<string, string | undefined>> = {},
): Primitive {
  return {
    kind: 'primitive',
    id: id.replace(/[^A-Za-z0-9_.-]/g, '.'),
    agent: { class: 'ocf', provider, type },
    meta: pairs(meta),
    parameters: pairs(parameters),
    operations: { list: operations },
    utilization: [],
  };
}

/** The connection to a remote or guest node, as a primitive. */
export function connection(
  name: string,
  given: {
    readonly container?: string | undefined;
    readonly allowMigrate?: string | undefined;
    readonly isManaged?: string | undefined;
    readonly startTimeout?: string | undefined;
    readonly server?: string | undefined;
    readonly port?: string | undefined;
  },
): Primitive {
  const start: readonly Operation[] =
    given.startTimeout === undefined
      ? []
      : [{ name: 'start', interval: '0', timeout: given.startTimeout, parameters: [], meta: [] }];
  return implied(
    name,
    'pacemaker',
    'remote',
    { addr: given.server, port: given.port },
    [monitor('30s', '30s'), ...start],
    {
      internal_rsc: 'true',
      container: given.container,
      'allow-migrate': given.allowMigrate,
      'is-managed': given.isManaged,
    },
  );
}
