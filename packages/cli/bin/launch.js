// Runs a TypeScript program under a Node that can: this one, or the one that `npm install` put beside it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const nodeMajorNeeded = 24;

/**
 * Runs the program at `path`, relative to `base`. Where this Node is too old, a newer one from the nearest
 * `node_modules/.bin` takes its place with the same arguments, streams and exit status.
 *
 * @param {string} base URL of the calling module
 * @param {string} path path of the program relative to it
 */
export async function launch(base, path) {
  const program = new URL(path, base);
  if (Number.parseInt(process.versions.node, 10) >= nodeMajorNeeded) {
    // A quarter of a short command's time would go into reading the sources anew.
    module.enableCompileCache?.();
    process.argv[1] = fileURLToPath(program);
    await import(program.href);
    return;
  }
  const node = findNode(dirname(fileURLToPath(base)));
  if (node === undefined) {
    process.stderr.write(
      `systole needs Node ${nodeMajorNeeded}; this is ${process.version}. Run npm install, which brings it.\n`,
    );
    process.exit(1);
  }
  const result = spawnSync(node, [...process.execArgv, fileURLToPath(program), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exit(result.status ?? (result.signal === null ? 1 : 128 + constants.signals[result.signal]));
}

function findNode(start) {
  for (let folder = start; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', '.bin', 'node');
    if (existsSync(candidate)) return candidate;
    if (dirname(folder) === folder) return undefined;
  }
}
