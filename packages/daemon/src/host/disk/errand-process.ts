/** A process that does one errand on one disk and says in JSON what it found: `errand-process DISK ERRAND`. */
import process from 'node:process';
import { DiskError } from '@systole/stonith';
import { type Errand, runErrand } from './errand.ts';
import { Sectors } from './sectors.ts';

// From here on it is the disk that takes its time: who waits for us counts from this line.
process.stdout.write('\n');
const [disk = '', errand = ''] = process.argv.slice(2);
try {
  process.stdout.write(JSON.stringify(runErrand(Sectors.open(disk), JSON.parse(errand) as Errand)));
} catch (error) {
  if (!(error instanceof DiskError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
