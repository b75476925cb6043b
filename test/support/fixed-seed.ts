/**
 * Properties look at the same cases in every run, so that a change is judged by itself. New ones are looked for with
 * `SYSTOLE_PROPERTY_SEED=$RANDOM npm test -- property`; what is found gets a case of its own.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['SYSTOLE_PROPERTY_SEED'] ?? 20_260_701) });
