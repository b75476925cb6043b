#!/usr/bin/env node
// Starts the program of the agent fence_disk from its sources; see ../../cli/bin/launch.js.
import { launch } from '../../cli/bin/launch.js';

await launch(import.meta.url, '../src/fence-disk.ts');
