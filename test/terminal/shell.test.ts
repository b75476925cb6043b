/** The interactive shell in a real terminal, against a real daemon: keys, completion, history, interruptions, programs it starts. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tryRun, until } from '../lab/command.ts';
import { LoneNode } from './node.ts';
import { notHere, Terminal, type TerminalOptions } from './tmux.ts';
import { vendorIds, vendorText, wrongLine, wrongText } from './vendor.ts';

if (notHere !== undefined) console.warn(`skipped: ${notHere}`);

describe.skipIf(notHere !== undefined)('the shell in a terminal', () => {
  let node: LoneNode;
  beforeAll(async () => {
    node = await LoneNode.open();
    await node.set('primitive', 'd1', 'ocf:systole:dummy', 'op', 'monitor', 'interval=10s');
  });
  afterAll(async () => await node[Symbol.asyncDispose]());

  async function shell(options: Partial<TerminalOptions> = {}): Promise<Terminal> {
    const { environment = {}, ...others } = options;
    const terminal = await Terminal.open({
      command: 'systole',
      ...others,
      environment: { ...node.environment, ...environment },
    });
    await terminal.sees(/zürich.*# /);
    return terminal;
  }

  test('the prompt names cluster, level and what is not committed, and nobody leaves without being asked', async () => {
    await using terminal = await shell();
    await terminal.line('configure');
    await terminal.sees(/zürich configure# $/m);
    await terminal.line('primitive asked ocf:systole:dummy');
    await terminal.sees(/zürich configure\*# $/m);
    await terminal.line('quit');
    await terminal.sees(/\+ primitive asked[^]*Commit them\? \(cancel\/yes\/no\)/);
    await terminal.keys('Enter');
    await terminal.clear();
    await terminal.keys('C-d');
    await terminal.sees(/Commit them\?/);
    await terminal.keys('C-c');
    await terminal.clear();
    await terminal.line('up');
    await terminal.sees(/Commit them\?/);
    await terminal.line('no');
    await terminal.sees(/zürich# $/m);
    await terminal.keys('C-d');
    expect(await terminal.ended()).toBe(0);
    expect((await node.run('configure', 'show', 'asked')).code).toBe(3);
  });

  test('the tab key completes levels, commands, ids, nodes, agents and their parameters', async () => {
    await using terminal = await shell();
    await terminal.keys('resou', 'Tab', 'loc', 'Tab', 'd', 'Tab');
    await terminal.sees(/# resource locate d1 $/m);
    await terminal.keys('C-c', 'node stand', 'Tab', 'n', 'Tab');
    await terminal.sees(/# node standby n1 $/m);
    await terminal.keys(
      'C-c',
      'configure',
      'Enter',
      'prim',
      'Tab',
      'x ocf:systole:du',
      'Tab',
      'par',
      'Tab',
      'dela',
      'Tab',
    );
    await terminal.sees(/# primitive x ocf:systole:dummy params delay=$/m);
    await terminal.keys('C-c', 'property no-quorum-p', 'Tab', 'fr', 'Tab');
    await terminal.sees(/# property no-quorum-policy=freeze/);
    await terminal.keys('C-c', 'location l d1 inf: ', 'Tab');
    await terminal.sees(/# location l d1 inf: n1 $/m);
  });

  test('what was typed comes back by the up key, a statement of several lines as one, and in the next shell as well', async () => {
    {
      await using terminal = await shell();
      await terminal.line('configure');
      await terminal.line('primitive remembered ocf:systole:dummy \\');
      await terminal.sees(/^> $/m);
      await terminal.line('  params fake=1');
      await terminal.sees(/configure\*# $/m);
      await terminal.clear();
      await terminal.keys('Up');
      await terminal.sees(/# primitive remembered ocf:systole:dummy params fake=1$/m);
      await terminal.keys('C-c');
      await terminal.line('refresh');
      await terminal.line('quit');
      await terminal.ended();
    }
    await using terminal = await shell();
    await terminal.keys('Up', 'Up', 'Up');
    await terminal.sees(/# primitive remembered ocf:systole:dummy params fake=1$/m);
  });

  test('Ctrl-C drops the line that is being typed, ends a waiting, and loses nothing', async () => {
    await using terminal = await shell();
    await terminal.line('configure');
    await terminal.line('primitive kept ocf:systole:dummy');
    await terminal.keys('primitive half', 'C-c');
    await terminal.sees(/half\^C\n.*configure\*# $/m);
    await terminal.keys('primitive unfinished \\', 'Enter', 'C-c');
    await terminal.clear();
    await terminal.line('status --watch');
    await terminal.sees(/Cluster zürich/);
    await terminal.keys('C-c');
    await terminal.sees(/configure\*# $/m);
    await terminal.line('diff');
    await terminal.sees(/\+ primitive kept/);
    await terminal.line('refresh');
    await terminal.sees(/configure# $/m);
  });

  test('a line that fails takes those with it that were typed ahead', async () => {
    await using terminal = await shell();
    await terminal.line('configure');
    await terminal.sees(/configure# $/m);
    // Sent at once: the second line is there before the first has failed.
    await terminal.keys(
      'primitive ahead no:such:agent:at:all',
      'Enter',
      'primitive ahead ocf:systole:dummy',
      'Enter',
      'commit',
      'Enter',
    );
    await terminal.sees(/2 lines that were typed ahead meanwhile: dropped/);
    await terminal.sees(/configure# $/m);
    expect((await node.run('configure', 'show', 'ahead')).code).toBe(3);
  });

  test('a pasted configuration is one piece: a mistake in its middle is named by line, and nothing of it is kept', async () => {
    await using terminal = await shell();
    await terminal.line('configure');
    await terminal.line('primitive before ocf:systole:dummy');
    await terminal.sees(/configure\*# $/m);
    await terminal.paste(`${wrongText}commit\n`);
    const text = await terminal.sees(/the paste ends at line/);
    expect(text).toMatch(new RegExp(`pasted:${wrongLine}:1: error: .*primitve.*did you mean "?primitive`));
    expect(text).toMatch(new RegExp(`what lines 1-${wrongLine - 1} edited is taken back`));
    await terminal.clear();
    await terminal.line('diff');
    // What was edited before the paste is there still, and nothing else.
    await terminal.sees(/^\+ primitive before dummy|^\+ primitive before ocf:systole:dummy/m);
    expect(await terminal.text()).not.toContain('web-1');
    await terminal.line('refresh');

    await terminal.paste(`${vendorText}commit\n`);
    await terminal.sees(/committed, as configuration/);
    const { stdout } = await node.run('configure', 'show');
    for (const id of vendorIds) expect(stdout).toContain(`primitive ${id} `);
    await terminal.line('quit');
    expect(await terminal.ended()).toBe(0);
  });

  test('the end of a paste that is no whole line waits at the prompt, to be finished', async () => {
    await using terminal = await shell();
    await terminal.paste('configure\nprimitive tail ocf:systole:dummy\nprimitive tail2 ocf:sys');
    await terminal.sees(/configure\*# primitive tail2 ocf:sys$/m);
    await terminal.keys('C-c');
    await terminal.line('refresh');
  });

  test('edit shows the configuration in the editor, and asks again after a mistake', async () => {
    const editor = join(node.folder, 'editor');
    writeFileSync(
      editor,
      `#!/bin/sh
if [ -e "$0.again" ]; then sed -i s/primitve/primitive/ "$1"
else echo 'primitve edited ocf:systole:dummy' >>"$1"; touch "$0.again"
fi
`,
    );
    chmodSync(editor, 0o755);
    await using terminal = await shell({ environment: { EDITOR: editor, VISUAL: editor } });
    await terminal.line('configure');
    await terminal.line('edit d1');
    await terminal.sees(/error: [^]*Edit again\? \(yes\/no\)/);
    await terminal.keys('Enter');
    await terminal.sees(/configure\*# $/m);
    await terminal.line('show edited');
    await terminal.sees(/^primitive edited ocf:systole:dummy/m);
    await terminal.line('refresh');
  });

  test('long answers go through the pager, and only where somebody reads them', async () => {
    const pager = join(node.folder, 'pager');
    writeFileSync(pager, `#!/bin/sh\necho "paged $(wc -l)"\n`);
    chmodSync(pager, 0o755);
    await using terminal = await shell({ rows: 20, environment: { PAGER: pager } });
    await terminal.line('help');
    await terminal.sees(/^paged \d\d/m);
    await terminal.clear();
    await terminal.line('resource locate d1');
    await terminal.sees(/d1 is/);
    expect(await terminal.text()).not.toContain('paged');
    await terminal.line('options set pager cat');
    await terminal.line('help');
    await terminal.sees(/^ +configure /m);
    await terminal.line('options reset');
    expect((await node.run('help')).stdout).toContain('configure');
  });

  test('a narrow terminal and a change of its size do no harm', async () => {
    await using terminal = await shell({ columns: 60, rows: 20 });
    await terminal.line('configure');
    const description = '"größte Datenbank für 東京 — ändern nur nach Rücksprache mit dem Betrieb"';
    await terminal.keys('-l', `primitive wide ocf:systole:dummy params fake=${description}`);
    await terminal.resize(90, 25);
    await terminal.keys('C-a', 'C-e', 'Enter');
    await terminal.sees(/configure\*# $/m);
    await terminal.clear();
    await terminal.line('show wide');
    await terminal.sees(/params fake="größte Datenbank für 東京 — ändern nur nach Rücksprache mit dem Betrieb"/);
    await terminal.line('refresh');
    await terminal.resize(60, 20);
    await terminal.line('status');
    await terminal.sees(/Cluster zürich, with quorum/);
  });

  test('there are colours on a terminal, none with NO_COLOR, and none in a pipe', async () => {
    const escape = '\u001b[';
    await using coloured = await shell();
    expect(await coloured.text('-e')).toContain(escape);
    await using plain = await shell({ environment: { NO_COLOR: '1' } });
    await plain.line('status');
    await plain.sees(/Cluster zürich/);
    expect(await plain.text('-e')).not.toContain(escape);
    const { stdout, stderr } = await node.run('status');
    expect(stdout + stderr).not.toContain(escape);
  });

  test('every word of every level is explained at the prompt', async () => {
    await using terminal = await shell({ environment: { PAGER: 'cat' } });
    const listed = await tryRun(['systole', 'ls'], { environment: { ...process.env, ...node.environment } });
    for (const level of listed.stdout.split('\n').filter((word) => word.endsWith('/'))) {
      const word = level.slice(0, -1);
      await terminal.line(`help ${word}`);
      await terminal.sees(new RegExp(`^${word}: `, 'm'));
      await terminal.line(word);
      await terminal.sees(new RegExp(`zürich ${word}# $`, 'm'));
      await terminal.line('up');
    }
    await terminal.line('help resource move');
    await terminal.sees(/usage: systole resource move RESOURCE/);
  });

  test('lines with passwords are kept nowhere', async () => {
    await using terminal = await shell();
    await terminal.line('configure primitive secretive ocf:systole:dummy params fake=1 password=hunter2');
    await terminal.line('configure primitive harmless ocf:systole:dummy');
    await terminal.line('quit');
    await terminal.sees(/Commit them\?/);
    await terminal.line('no');
    await terminal.ended();
    const history = join(node.folder, 'home', 'state', 'systole', 'history');
    await until('the history is written', () => readFileSync(history, 'utf8').includes('harmless'));
    expect(readFileSync(history, 'utf8')).not.toContain('hunter2');
  });
});
