import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Cib, exportCib, exportConfiguration, importCib } from '../src/index.ts';
import { MAX_XML_DEPTH } from '../src/xml/tree.ts';

const shared = join(import.meta.dirname, '../../../../shared');

function imported(text: string): { cib: Cib; notes: readonly string[] } {
  const result = importCib(text);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return {
    cib: result.value.cib,
    notes: result.value.notes.map((note) => `${note.line}: ${note.element} ${note.message}`),
  };
}

const configuration = (inside: string, schema = 'pacemaker-3.9'): string =>
  `<cib validate-with="${schema}" admin_epoch="1" epoch="2" num_updates="3"><configuration>${inside}</configuration></cib>`;

describe('import of XML', () => {
  test.each([
    ['broken', '<cib>\n  <configuration>\n</cib>', 3],
    ['an entity of its own', '<!DOCTYPE cib [<!ENTITY a "x">]>\n<cib>&a;</cib>', 2],
    ['another root', '\n<html/>', 2],
    ['a primitive without an id', configuration('<resources>\n<primitive class="ocf" type="x"/></resources>'), 2],
    ['an empty clone', configuration('<resources>\n\n<clone id="c"/></resources>'), 3],
  ])('refuses a document with %s, and says in which line', (_, text, line) => {
    const result = importCib(text);
    expect(result.ok).toBe(false);
    expect(result.ok ? undefined : result.error.line).toBe(line);
  });

  test('refuses what is nested too deep, however deep', () => {
    for (const depth of [MAX_XML_DEPTH + 1, 200_000]) {
      const result = importCib(`${'<cib>'.repeat(depth)}${'</cib>'.repeat(depth)}`);
      expect(result.ok ? '' : result.error.message).toContain('nested more than');
    }
  });

  test('tells what it does not know, with its line, and keeps the rest', () => {
    const { cib, notes } = imported(
      configuration(
        '<resources>\n<primitive id="a" class="ocf" provider="x" type="y" colour="red"><paint/></primitive></resources>',
      ),
    );
    expect(cib.configuration.resources.map((resource) => resource.id)).toEqual(['a']);
    expect(notes).toEqual([
      '2: <primitive id="a"> attribute colour="red" is not known here',
      '2: <paint> <paint> has no meaning inside <primitive>',
    ]);
  });

  test('leaves out a value that is none of the allowed ones, and says so', () => {
    const { cib, notes } = imported(
      configuration(
        '<constraints><rsc_colocation id="c" rsc="a" with-rsc="b" score="much" influence="maybe"/></constraints>',
      ),
    );
    expect(cib.configuration.constraints).toEqual([{ kind: 'colocation', id: 'c', dependent: 'a', primary: 'b' }]);
    expect(notes).toHaveLength(2);
  });
});

describe('upgrade of older schemas', () => {
  test('a master is a promotable clone', () => {
    const { cib } = imported(
      configuration(
        '<resources><master id="m"><primitive id="p" class="ocf" provider="x" type="y"/></master></resources>',
      ),
    );
    expect(cib.configuration.resources[0]).toMatchObject({
      kind: 'clone',
      id: 'm',
      meta: [{ pairs: [{ name: 'promotable', value: 'true' }] }],
    });
  });

  test('options with underscores get hyphens, and defaults leave the options', () => {
    const { cib, notes } = imported(
      configuration(
        '<crm_config><cluster_property_set id="o"><nvpair id="o1" name="stonith_enabled" value="true"/>' +
          '<nvpair id="o2" name="default-resource-stickiness" value="5"/></cluster_property_set></crm_config>',
        'pacemaker-1.2',
      ),
    );
    expect(cib.configuration.options[0]?.pairs).toEqual([{ id: 'o1', name: 'stonith-enabled', value: 'true' }]);
    expect(cib.configuration.resourceDefaults[0]?.pairs).toEqual([
      { id: 'o2', name: 'resource-stickiness', value: '5' },
    ]);
    expect(notes).toHaveLength(2);
  });

  test('a default among the options has no effect where it had none in Pacemaker: since schema 3.0', () => {
    const { cib, notes } = imported(
      configuration(
        '<crm_config><cluster_property_set id="o"><nvpair id="o2" name="default-resource-stickiness" value="5"/></cluster_property_set></crm_config>',
        'pacemaker-3.9',
      ),
    );
    expect([cib.configuration.options[0]?.pairs, cib.configuration.resourceDefaults]).toEqual([[], []]);
    expect(notes[0]).toContain('set resource-stickiness in rsc_defaults');
  });

  test('a user with permissions of its own gets a role', () => {
    const { cib } = imported(
      configuration(
        '<acls><acl_user id="u"><read id="r" ref="web"/><write id="w" xpath="//x" attribute="y"/></acl_user></acls>',
        'pacemaker-1.2',
      ),
    );
    expect(cib.configuration.acls).toEqual({
      targets: [{ id: 'u', roles: ['auto-u'] }],
      groups: [],
      roles: [
        {
          id: 'auto-u',
          permissions: [
            { id: 'r', kind: 'read', reference: 'web' },
            { id: 'w', kind: 'write', xpath: '//x[@y]' },
          ],
        },
      ],
    });
  });

  test('requires moves from a start operation to the resource', () => {
    const { cib } = imported(
      configuration(
        '<resources><primitive id="p" class="ocf" provider="x" type="y"><operations>' +
          '<op id="s" name="start" interval="0" requires="quorum"/></operations></primitive></resources>',
        'pacemaker-1.2',
      ),
    );
    expect(cib.configuration.resources[0]).toMatchObject({
      meta: [{ pairs: [{ name: 'requires', value: 'quorum' }] }],
      operations: { list: [{ id: 's', name: 'start' }] },
    });
  });
});

describe('export to XML', () => {
  test('text with every special character comes back the same', () => {
    const value = `<&>"' \t\n\r ä 🙂`;
    const { cib } = imported(configuration('<crm_config><cluster_property_set id="o"/></crm_config>'));
    const changed: Cib = {
      ...cib,
      configuration: { ...cib.configuration, options: [{ id: 'o', pairs: [{ id: 'p', name: 'n', value }] }] },
    };
    expect(imported(exportCib(changed)).cib.configuration.options[0]?.pairs[0]?.value).toBe(value);
  });

  test('what was made without ids is written with ids', () => {
    const { cib } = imported(configuration('<resources/>'));
    const text = exportConfiguration({ ...cib.configuration, options: [{ pairs: [{ name: 'a', value: 'b' }] }] });
    expect(text).toContain('<nvpair id="cib-bootstrap-options-a" name="a" value="b"/>');
  });
});

function* documents(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith('.xml')) yield join(entry.parentPath, entry.name);
  }
}

describe.skipIf(!existsSync(shared))('export and import again (needs ../shared)', () => {
  // Some seven hundred documents: seconds, on a busy machine.
  test.each(['scheduler-suite/xml', 'cli-suite'])(
    'gives the same CIB for every document of %s',
    { timeout: 60_000 },
    (folder) => {
      let count = 0;
      for (const file of documents(join(shared, folder))) {
        const first = imported(readFileSync(file, 'utf8')).cib;
        const second = importCib(exportCib(first));
        expect(second.ok, file).toBe(true);
        if (!second.ok) continue;
        expect(
          second.value.notes.map((note) => note.message).filter((text) => !text.includes('without an id')),
          file,
        ).toEqual([]);
        const header = { ...first.header, validateWith: '', featureSet: '' };
        expect(
          { ...second.value.cib, header: { ...second.value.cib.header, validateWith: '', featureSet: '' } },
          file,
        ).toEqual({ ...first, header });
        count += 1;
      }
      expect(count).toBeGreaterThan(500);
    },
  );
});
