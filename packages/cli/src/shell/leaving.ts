/** What becomes of edits that are not committed when their level is left: a script commits them, a person is asked. */
import type { Context } from './context.ts';

/** Edits that are left over are committed. */
export async function leaveConfigure(context: Context): Promise<void> {
  if (context.session?.session.isChanged !== true) return;
  const { commitEdits } = await import('../commands/configure-commit.ts');
  await commitEdits(context, []);
}

/** @returns false if the person wants to stay. */
export async function mayLeave(context: Context): Promise<boolean> {
  if (context.session?.session.isChanged !== true) return true;
  if (!context.isShell) {
    await leaveConfigure(context);
    return true;
  }
  const { diffEdits } = await import('../commands/configure-commit.ts');
  await diffEdits(context);
  const answer = await context.terminal.ask('There are changes that are not committed. Commit them?', [
    'cancel',
    'yes',
    'no',
  ]);
  if (answer === 'cancel') return false;
  if (answer === 'yes') await leaveConfigure(context);
  else context.session = undefined;
  // Whoever did not want to disturb services when he was asked again has changes still.
  return context.session?.session.isChanged !== true;
}
