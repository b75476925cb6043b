#!/usr/bin/env node
// Starts the shell from its sources. They need Node 24, so an older one hands over to the Node in node_modules.
import './compile-cache.js';
import { launch } from './launch.js';

await launch(import.meta.url, '../src/main.ts');
