#!/usr/bin/env -S node --single-threaded
// Starts the daemon from its sources; see ../../cli/bin/launch.js. Why without helper threads: ../src/host/realtime.ts.
import { launch } from '../../cli/bin/launch.js';

await launch(import.meta.url, '../src/main.ts');
