/**
 * What a DC adds to the configuration when it asks the policy engine: facts about the cluster that Pacemaker's controller
 * keeps in the configuration itself. They are in what is kept of a decision, and belong into no configuration.
 */
import type { Configuration } from './model/configuration.ts';

const factsId = 'systole-facts';

export function withFact(configuration: Configuration, name: string, value: string): Configuration {
  const fact = { id: factsId, pairs: [{ id: `${factsId}-${name}`, name, value }] };
  return { ...configuration, options: [...configuration.options, fact] };
}

export const withoutFacts = (configuration: Configuration): Configuration => ({
  ...configuration,
  options: configuration.options.filter(({ id }) => id !== factsId),
});
