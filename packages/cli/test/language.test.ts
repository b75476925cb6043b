import { describe, expect, test } from 'vitest';
import { fromConfiguration, printConfiguration, printItems, Session } from '../src/language/index.ts';
import { configured, filesOf, noFiles, problemsOf } from './support.ts';

const abc = configured('primitive a Dummy\nprimitive b Dummy\nprimitive c Dummy');

test('a copy of a session is edited apart from it', () => {
  const session = new Session(configured('primitive a Dummy'), noFiles);
  session.run('primitive b Dummy', '');
  const copy = session.copy();
  copy.run('delete a\nprimitive c Dummy', '');
  expect(session.draft.items.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(copy.draft.items.map(({ id }) => id)).toEqual(['b', 'c']);
  expect(copy.base).toBe(session.base);
});

describe('an error', () => {
  test.each([
    [
      'a word where another is expected',
      'primitive a Dummy\nlocation l a alpha',
      '2:14 expected a score and a node, as in 100: alpha, or rule, found "alpha"',
    ],
    [
      'the nearest right word',
      'primitiv a Dummy\nprimitve b Dummy',
      '2:1 "primitve" is no command here; did you mean "primitive"?',
    ],
    ['an ambiguous beginning', 'p a', '1:1 "p" is ambiguous: primitive, property'],
    [
      'a name that does not exist, where it stands',
      'primitive web Dummy\nlocation l wbe 10: n1',
      '2:12 l: there is no resource "wbe"; did you mean "web"?',
    ],
    [
      'the end of a statement',
      'primitive a Dummy\nlocation l a 100:',
      '2:18 expected a node, but the statement ends here',
    ],
    ['a member of a group that does not exist', 'group g nosuch', '1:9 group g names "nosuch", which does not exist'],
    [
      'a role',
      'primitive a Dummy op monitor role=Boss',
      '1:30 "Boss" is not a role; roles are Started, Stopped, Promoted and Unpromoted',
    ],
    [
      'an operation setting',
      'primitive a Dummy op monitor on-fail=explode',
      '1:30 on-fail is one of ignore, block, stop, demote, restart, standby, fence, restart-container, not "explode"',
    ],
    ['an open bracket', 'primitive a Dummy\ncolocation c inf: a ( a', '2:21 "(" is never closed'],
    [
      'a section that is nearly written so',
      'primitive a Dummy parms x=1',
      '1:19 "parms" is neither NAME=VALUE nor a section; did you mean "params"?',
    ],
    [
      'an interval that is none',
      'primitive a Dummy\nmonitor a ten',
      '2:11 "ten" is not a time; write for example 30s, 5min or 1h',
    ],
    [
      'a fraction where a score is wanted',
      'primitive a Dummy\nlocation l a 1.5: n',
      '2:14 "1.5" is not a score; write a whole number, inf or -inf',
    ],
    [
      'the group that is not there, not the command',
      'primitive a Dummy\nmodgroup g add a',
      '2:10 there is no group "g"',
    ],
    ['a template that does not exist', 'primitive a @vm', '1:13 a is made from "vm", but there is no such template'],
  ])('names %s', (_, script, message) => {
    expect(problemsOf(script)).toEqual([message]);
  });

  test('of a file is told together with all others of that file', () => {
    const session = new Session(abc, filesOf({ 'x.crm': 'group g\nlocation l a\nprimitive d Dummy' }));
    expect(() => session.run('load update x.crm', 'test.crm')).toThrow(
      expect.objectContaining({ problems: expect.objectContaining({ length: 2 }) as unknown }),
    );
  });

  test('leaves the draft as it was', () => {
    const session = new Session(abc, noFiles);
    const before = printItems(session.draft.items);
    expect(() => session.run('group g a b nosuch', '')).toThrow();
    expect(() => session.run('modgroup a add b', '')).toThrow();
    expect(() => session.run('delete a nosuch', '')).toThrow();
    expect(printItems(session.draft.items)).toBe(before);
  });
});

describe('a typed statement', () => {
  test('of an existing id is refused, and says how to change it', () => {
    expect(problemsOf('primitive a Dummy', abc)).toEqual(['1:11 there is a primitive "a" already']);
  });

  test('clones of primitives are interleaved unless they say otherwise, clones of groups are not', () => {
    const text = printConfiguration(
      configured('clone x a\nclone y b meta interleave=false\ngroup g c\nclone z g', abc),
    );
    expect(text).toContain('clone x a \\\n\tmeta interleave=true\n');
    expect(text).toContain('clone y b \\\n\tmeta interleave=false\n');
    expect(text).toContain('clone z g\n');
  });

  test('times without a unit are seconds', () => {
    expect(printConfiguration(configured('primitive x Dummy op monitor interval=10 timeout=20'))).toContain(
      'op monitor interval=10s timeout=20s',
    );
  });

  test('a second property statement adds to the set', () => {
    const text = printConfiguration(configured('property a=1 b=2\nproperty b=3 c=4'));
    expect(text).toBe('property cib-bootstrap-options: \\\n\ta=1 \\\n\tb=3 \\\n\tc=4\n');
  });

  test('a rule does not creep into a set that applied always', () => {
    expect(problemsOf('property a=1\nproperty cib-bootstrap-options: rule date gt 2030-01-01 b=2')).toEqual([
      '2:10 cib-bootstrap-options exists; a rule would now decide on all of it',
    ]);
  });

  test('lines copied from a guide may begin with the name of the program', () => {
    expect(printConfiguration(configured('sudo crm configure primitive a Dummy'))).toBe('primitive a Dummy\n');
  });

  test('a group takes over the constraints of its members, and says so', () => {
    const session = new Session(abc, noFiles);
    session.run('location l a 100: n1\ncolocation c1 inf: a b\ngroup g a b', '');
    expect(printItems(session.draft.items)).toContain('location l g 100: n1');
    expect(session.draft.remarks).toEqual([
      'location l now names g in place of a',
      'colocation c1 now names g in place of a',
      'colocation c1 is deleted: it has nothing left to constrain',
    ]);
  });
});

describe('deleting', () => {
  const base = configured(
    'group g a b\nlocation l g 100: n1\norder o Mandatory: c g\ntag t g c\ncolocation s inf: a2 ( b2 c2 )',
    configured('primitive a2 Dummy\nprimitive b2 Dummy\nprimitive c2 Dummy', abc),
  );

  test('a group keeps its members; its constraints move to the first', () => {
    const text = printConfiguration(configured('delete g', base));
    expect(text).toContain('location l a 100: n1');
    expect(text).toContain('order o Mandatory: c a');
    expect(text).toContain('tag t c');
  });

  test('the only member of a group deletes the group', () => {
    expect(printConfiguration(configured('delete b\ndelete a', base))).not.toContain('group');
  });

  test('what remains of a set of resources stays a set while it is not two in a row', () => {
    expect(printConfiguration(configured('delete a2', base))).toContain('colocation s inf: ( b2 c2 )');
    expect(printConfiguration(configured('delete b2', base))).toContain('colocation s inf: a2 c2');
  });

  test('a template that is in use is refused', () => {
    expect(problemsOf('rsc_template t Dummy\nprimitive x @t\ndelete t')).toEqual([
      '3:1 the template t is in use by x; delete x as well, or first',
    ]);
  });

  test('a role that a user has is refused, with the user', () => {
    expect(problemsOf('role r read cib\nacl_target u r\ndelete r')).toEqual([
      '2:14 u has the role "r", which does not exist',
    ]);
  });
});

describe('renaming', () => {
  test('is followed by everything that names the resource', () => {
    const base = configured(
      'primitive f stonith:fence_x\ngroup g a b\norder o Mandatory: c g\ntag t a g\nfencing_topology n1: f\nrole r write ref:a',
      abc,
    );
    const text = printConfiguration(configured('rename a z\nrename g h\nrename f fx', base));
    expect(text).toContain('group h z b');
    expect(text).toContain('order o Mandatory: c h');
    expect(text).toContain('tag t z h');
    expect(text).toContain('n1: fx');
    expect(text).toContain('write ref:z');
  });
});

describe('loading', () => {
  test('update replaces what has the same id and keeps the ids inside', () => {
    const base = configured('primitive a Dummy params x=1 y=2 op monitor interval=10s');
    const after = configured(
      'load update f',
      base,
      filesOf({ f: 'primitive a Dummy params x=9 op monitor interval=10s timeout=5s' }),
    );
    const ids = (configuration: typeof base): string =>
      JSON.stringify(configuration.resources).replace(/"value":"\d"/g, '');
    expect(ids(after)).toContain('"id":"a-instance_attributes-x"');
    expect(ids(after)).toContain('"id":"a-monitor-10s"');
    expect(printConfiguration(after)).toBe(
      'primitive a Dummy \\\n\tparams x=9 \\\n\top monitor interval=10s timeout=5s\n',
    );
  });

  test('replace keeps nothing but the nodes', () => {
    const base = configured('node n1 attributes rack=1', abc);
    expect(printConfiguration(configured('load replace f', base, filesOf({ f: 'primitive x Dummy' })))).toBe(
      'node n1 \\\n\tattributes rack=1\nprimitive x Dummy\n',
    );
  });

  test('push removes what the file lacks', () => {
    const base = configured('property a=1 b=2\ngroup g a b', abc);
    expect(printConfiguration(configured('load push f', base, filesOf({ f: 'primitive c Dummy\nproperty a=1' })))).toBe(
      'primitive c Dummy\nproperty cib-bootstrap-options: \\\n\ta=1\n',
    );
  });

  test('a file may name things before it defines them, and defines each once', () => {
    const load = (f: string): unknown => configured('load update f', abc, filesOf({ f }));
    expect(() => load('location l g 5: n1\ngroup g a b')).not.toThrow();
    expect(() => load('primitive x Dummy\nprimitive x Dummy')).toThrow('"x" is defined twice; first in line 1');
  });
});

describe('what the language has no words for', () => {
  const xml = `xml '<rsc_location id="l" rsc="a"><rule id="r" score="5" boolean-op="or"><rule id="r1"><expression id="e1" attribute="x" operation="eq" value="1"/></rule><expression id="e2" attribute="y" operation="defined"/></rule></rsc_location>'`;

  test('is printed as an xml statement that reads back as the same', () => {
    const configuration = configured(xml, abc);
    const text = printConfiguration(configuration);
    expect(text).toContain('xml <rsc_location id="l" rsc="a"');
    expect(configured('load replace f', abc, filesOf({ f: text }))).toEqual(configuration);
  });

  test('is refused if the XML says what nothing understands', () => {
    expect(problemsOf(`xml '<primitive id="x" class="ocf" type="y" colour="red"/>'`)).toEqual([
      '1:5 <primitive id="x">: attribute colour="red" is not known here',
    ]);
  });
});

describe('references', () => {
  test('$id-ref may name the resource that has the set', () => {
    const configuration = configured('primitive x Dummy meta priority=7\nprimitive y Dummy meta $id-ref=x');
    const [, second] = fromConfiguration(configuration);
    expect(second).toMatchObject({ value: { meta: [{ idRef: 'x-meta_attributes' }] } });
    expect(printConfiguration(configuration)).toContain('meta $id=x-meta_attributes priority=7');
  });
});

describe('a line of a guide', () => {
  test.each([
    'crm configure primitive x Dummy',
    'sudo crm configure primitive x Dummy',
    'crm(live)configure# primitive x Dummy',
    'crm(live/n1)configure# primitive x \\\n  Dummy',
    'root@n1:~# crm configure primitive x Dummy',
  ])('is taken with its prompt: %s', (line) => {
    expect(printConfiguration(configured(line))).toBe('primitive x Dummy\n');
  });

  test('goes on within a word where nothing stands around the line break', () => {
    expect(printConfiguration(configured('primitive x Dummy params state=/run/\\\nx\\\n  y=1'))).toContain(
      'state="/run/x" y=1',
    );
  });

  test('may name a plugin of cluster-glue', () => {
    expect(printConfiguration(configured('primitive s stonith:external/sbd'))).toBe(
      'primitive s stonith:external/sbd\n',
    );
  });
});
