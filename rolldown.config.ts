/**
 * Bundles the programs into `dist/`, with the agents beside them, for machines without a checkout: Node 24 and this
 * folder are all they need. The folders keep their places relative to each other, so that nothing looks elsewhere there.
 */
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';

const dist = join(import.meta.dirname, 'dist');

/** Each program, and each thread that a program starts, with the place of its bundle. */
const entries = {
  'packages/cli/src/main': 'packages/cli/src/main.ts',
  'packages/daemon/src/main': 'packages/daemon/src/main.ts',
  'packages/daemon/src/arbiter': 'packages/daemon/src/arbiter.ts',
  'packages/daemon/src/fence-disk': 'packages/daemon/src/fence-disk.ts',
  'packages/daemon/src/errand-process': 'packages/daemon/src/host/disk/errand-process.ts',
  'packages/daemon/src/watch-thread': 'packages/daemon/src/host/disk/watch-thread.ts',
  'packages/daemon/src/policy-worker': 'packages/daemon/src/host/policy-worker.ts',
  'packages/daemon/src/messaging-thread': 'packages/daemon/src/host/messaging-thread.ts',
  'packages/daemon/src/disk-thread': 'packages/daemon/src/host/disk-thread.ts',
};

/** What a program's name starts. The shell's is a short life, a good part of which is compiling: it keeps the result. */
const programs = {
  systole: ['packages/cli/bin/compile-cache.js', 'packages/cli/src/main.js'],
  crm: ['packages/cli/bin/compile-cache.js', 'packages/cli/src/main.js'],
  systoled: ['packages/daemon/src/main.js'],
  'systole-arbiter': ['packages/daemon/src/arbiter.js'],
};

/** Files that are used as they are. */
const copied = [
  'packages/ra/agents',
  'packages/ra/drivers',
  'packages/ra/helpers',
  'packages/stonith/agents',
  'packages/cli/bin/compile-cache.js',
  'packages/daemon/package.json',
  'packages/cli/package.json',
  'packaging',
  'LICENSE',
];

/**
 * Threads are started from the bundle beside the one that starts them. A module that starts one must therefore stay in a
 * program's own bundle: shared by two of them it would move to a folder where no thread's bundle is.
 */
const threads: Plugin = {
  name: 'threads',
  transform: (code) =>
    code.replaceAll(/new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)/gu, "new URL('./$1.js', import.meta.url)"),
  generateBundle: (_options, bundle) => {
    for (const [file, chunk] of Object.entries(bundle)) {
      if (chunk.type !== 'chunk') continue;
      for (const [, name] of chunk.code.matchAll(/new URL\(["']\.\/([\w-]+\.js)["'], import\.meta\.url\)/gu)) {
        const wanted = join(dirname(file), name ?? '');
        if (!(wanted in bundle)) throw new Error(`${file} starts ${wanted}, which is not built`);
      }
    }
  },
};

const assemble: Plugin = {
  name: 'assemble',
  writeBundle: () => {
    for (const path of copied) cpSync(join(import.meta.dirname, path), join(dist, path), { recursive: true });
    mkdirSync(join(dist, 'bin'), { recursive: true });
    writeFileSync(
      join(dist, 'package.json'),
      `${JSON.stringify({ type: 'module', license: 'Apache-2.0' }, undefined, 2)}\n`,
    );
    for (const [name, paths] of Object.entries(programs)) {
      const file = join(dist, 'bin', name);
      // One after the other: what is imported by a statement would be compiled before the first runs.
      const imports = paths.map((path) => `await import('../${path}');\n`);
      // Messaging's thread must not wait for threads that are not real-time ones (host/realtime.ts).
      const node = name === 'systoled' ? '-S node --single-threaded' : 'node';
      writeFileSync(file, `#!/usr/bin/env ${node}\n${imports.join('')}`);
      chmodSync(file, 0o755);
    }
  },
};

rmSync(dist, { recursive: true, force: true });

export default defineConfig({
  input: entries,
  platform: 'node',
  external: ['koffi'], // optional, and native
  plugins: [threads, assemble],
  output: { dir: dist, entryFileNames: '[name].js', chunkFileNames: 'packages/shared/[name]-[hash].js', format: 'esm' },
});
