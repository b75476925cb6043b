import { describe, expect, test } from 'vitest';
import { digestWithout, md5, operationDigest } from '../src/index.ts';

describe('digests of parameters', () => {
  test('are those of Pacemaker: attributes sorted by name in one XML element, a blank before, a newline after', () => {
    expect(operationDigest({ zeta: '1', alpha: 'a<b & "c"' })).toBe(
      md5(' <parameters alpha="a&lt;b &amp; &quot;c&quot;" zeta="1"/>\n'),
    );
  });

  test('of no parameters is that of an empty element', () => {
    expect(operationDigest({})).toBe('f2317cad3d54cec5d7d7aa7d0bf35cf8');
  });

  test('do not count where and for whom an operation runs', () => {
    expect(operationDigest({ ip: '10.0.0.1', CRM_meta_name: 'start', on_node: 'a', crm_feature_set: '3.19.0' })).toBe(
      operationDigest({ ip: '10.0.0.1' }),
    );
  });

  test('of a recurring operation change with its timeout', () => {
    expect(operationDigest({}, { timeoutMs: 20_000 })).not.toBe(operationDigest({}, { timeoutMs: 30_000 }));
  });

  test('can leave out parameters, such as those that may be reloaded', () => {
    expect(digestWithout({ a: '1', b: '2' }, new Set(['b']))).toBe(operationDigest({ a: '1' }));
  });
});
