#!/usr/bin/env node
// Starts the shell from its sources. They need Node 24, so an older one hands over to the Node in node_modules.
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { launch } from './launch.js';

// What was compiled is kept in the user's own folder: half the time that a command takes is compiling. Never in /tmp,
// where others could leave something for root to run.
module.enableCompileCache?.(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'systole', 'compiled'));

await launch(import.meta.url, '../src/main.ts');
