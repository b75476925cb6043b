// What was compiled is kept in the user's own folder: half the time that a command takes is compiling. Never in /tmp,
// where others could leave something for root to run.
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

module.enableCompileCache?.(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'systole', 'compiled'));
