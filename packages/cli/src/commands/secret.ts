/**
 * `resource secret`: values outside the configuration. A file is written on the node where the command runs; no shell of
 * ours copies it to others, so it says which nodes still need it before the configuration relies on it.
 */
import { SystoleError } from '@systole/kernel';
import { Draft } from '../language/draft.ts';
import { SecretFiles, secretMark, secretsFolder } from '../secrets.ts';
import { changeConfiguration } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { exitStatus, UsageError } from '../shell/failure.ts';
import { readValue, withValue } from '../shell/values.ts';
import { findResource } from './values.ts';

type Action = 'set' | 'stash' | 'unstash' | 'delete' | 'check' | 'show';

export async function secret(
  context: Context,
  args: readonly string[],
  files = new SecretFiles(secretsFolder),
): Promise<number> {
  const [resource = '', action = '', parameter, given] = args;
  if (parameter === undefined) throw new UsageError(`resource secret ${resource} ${action} lacks a parameter`);
  const cib = await context.client.cib();
  const configured = readValue(findResource(new Draft(cib.configuration), resource), 'parameters', parameter);
  const write = (value: string | undefined): Promise<unknown> =>
    // Never the value: the history of changes is no place for it.
    changeConfiguration(context, `resource secret ${resource} ${action} ${parameter}`, (draft) =>
      draft.update(withValue(findResource(draft, resource), 'parameters', parameter, value)),
    );

  switch (action as Action) {
    case 'show': {
      const value = files.read(resource, parameter);
      if (value === undefined) throw lacking(resource, parameter);
      context.answer({ [parameter]: value }, value);
      return exitStatus.done;
    }
    case 'check':
      return check(context, files, resource, parameter, configured);
    case 'set':
    case 'stash': {
      const value = action === 'stash' ? configured : (given ?? context.terminal.readInput().replace(/\n$/, ''));
      if (value === undefined) throw new SystoleError('notFound', `${resource} has no parameter ${parameter} to stash`);
      if (value === secretMark) throw new SystoleError('refused', `${parameter} of ${resource} is a secret already`);
      if (context.options.isDryRun) {
        if (configured !== secretMark) await write(secretMark);
        return exitStatus.done;
      }
      files.write(resource, parameter, value);
      if (configured === secretMark || !(await isMeantNow(context, resource, parameter))) return exitStatus.done;
      await write(secretMark);
      return exitStatus.done;
    }
    case 'unstash': {
      const value = files.read(resource, parameter);
      if (value === undefined) throw lacking(resource, parameter);
      if (configured !== secretMark)
        throw new SystoleError('refused', `the configuration does not rely on the secret ${parameter} of ${resource}`);
      await write(value);
      if (!context.options.isDryRun) files.remove(resource, parameter);
      return exitStatus.done;
    }
    case 'delete':
      // The configuration first: a resource must not rely on what is gone.
      if (configured === secretMark) await write(undefined);
      if (!context.options.isDryRun) files.remove(resource, parameter);
      return exitStatus.done;
    default:
      throw new UsageError(`a secret is set, stashed, unstashed, deleted, checked or shown, not "${action}"`);
  }
}

const lacking = (resource: string, parameter: string): SystoleError =>
  new SystoleError('notFound', `this node has no secret ${parameter} of ${resource}`);

function check(
  context: Context,
  files: SecretFiles,
  resource: string,
  parameter: string,
  configured: string | undefined,
): number {
  const troubles = [
    ...(files.read(resource, parameter) === undefined ? ['this node has no file of it'] : []),
    ...(files.read(resource, parameter) !== undefined && !files.isIntact(resource, parameter)
      ? ['its file was changed by other means, or damaged']
      : []),
    ...(configured === secretMark ? [] : [`the configuration does not say ${secretMark}, so it is not used`]),
  ];
  const text = troubles.length === 0 ? 'is as it should be, on this node' : troubles.join('; ');
  context.answer({ resource, parameter, troubles }, `${parameter} of ${resource}: ${text}`);
  return troubles.length === 0 ? exitStatus.done : exitStatus.failed;
}

/** The configuration relies on the file on every node; whoever is alone, or has said it everywhere, may go on. */
async function isMeantNow(context: Context, resource: string, parameter: string): Promise<boolean> {
  const { nodes, node: self } = await context.client.status();
  const others = nodes.filter(({ name, kind }) => name !== self && kind === 'member').map(({ name }) => name);
  if (others.length === 0 || context.options.isForced) return true;
  const todo = `${others.join(', ')} must have this secret too, else ${resource} cannot start there`;
  if (context.terminal.isInteractive) return await context.confirm(`${todo}. Do they have it?`);
  context.remark(
    `written on ${self}; the configuration is as it was. ${todo}: do the same there, and then once with --force`,
  );
  context.answer({ written: true, configured: false, parameter, others }, '');
  return false;
}
