#!/usr/bin/env node
// Starts the arbiter from its sources; see ../../cli/bin/launch.js.
import { launch } from '../../cli/bin/launch.js';

await launch(import.meta.url, '../src/arbiter.ts');
