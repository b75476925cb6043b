/**
 * Where a controller is: outside any view, finding out who leads, following, or being the DC and carrying out its loop.
 *
 * There is no ballot. Every member of a view ranks all members by the same facts (who has the CIB, whose program is
 * understood by all, then the rank in the view), so that once the facts are on the table, each knows the DC without
 * asking. Where all members came from one view together, the facts are known before the new view begins, and `electing`
 * lasts no time at all: that is the failover path.
 *
 * The DC's loop: `integrating` until the partition is fit to be planned for; then `scheduling`, `executing`, and again
 * until nothing is left to do; `unplanned` while the policy engine fails, until it is asked again. News during scheduling
 * makes its answer stale; news during executing aborts.
 */
import { effect } from '@systole/kernel';
import { assign, setup } from 'xstate';

export type ControllerEvent =
  | { readonly type: 'viewEnded' }
  | { readonly type: 'viewActivated' }
  /** All members have the same CIB. */
  | { readonly type: 'agreed'; readonly dc: string }
  /** The partition is fit to be planned for: quorum is decided, nobody is on the way in, nothing is left of an old plan. */
  | { readonly type: 'fit' }
  /** It is not any more: quorum is uncertain, or somebody is on the way in. */
  | { readonly type: 'unfit' }
  /** The status or configuration is another than the one that was planned for. */
  | { readonly type: 'news'; readonly reason: string }
  | { readonly type: 'scheduled'; readonly isEmpty: boolean }
  /** The policy engine has no answer for this CIB: nobody knows whether anything is left to do. */
  | { readonly type: 'planFailed' }
  | { readonly type: 'transitionEnded'; readonly isDone: boolean }
  | { readonly type: 'recheck' }
  | { readonly type: 'stopped' };

interface ControllerInput {
  readonly self: string;
}

interface ControllerContext extends ControllerInput {
  readonly dc: string | undefined;
  /** News came since the CIB was handed to the policy engine. */
  readonly isStale: boolean;
}

export const controllerMachine = setup({
  types: {
    context: {} as ControllerContext,
    events: {} as ControllerEvent,
    input: {} as ControllerInput,
  },
  actions: {
    compareCibs: effect<Record<string, never>>(),
    lead: effect<Record<string, never>>(),
    stepDown: effect<Record<string, never>>(),
    checkFitness: effect<Record<string, never>>(),
    schedule: effect<Record<string, never>>(),
    discardSchedule: effect<Record<string, never>>(),
    carryOut: effect<Record<string, never>>(),
    abortTransition: effect<{ readonly reason: string }>(),
    settle: effect<Record<string, never>>(),
    lookAgain: effect<Record<string, never>>(),
    setStale: assign({ isStale: true }),
    setFresh: assign({ isStale: false }),
    rememberDc: assign({ dc: ({ event }) => (event.type === 'agreed' ? event.dc : undefined) }),
    forgetDc: assign({ dc: undefined }),
  },
  guards: {
    isSelf: ({ context, event }) => event.type === 'agreed' && event.dc === context.self,
    isStale: ({ context }) => context.isStale,
    isEmpty: ({ event }) => event.type === 'scheduled' && event.isEmpty,
    isDone: ({ context, event }) => event.type === 'transitionEnded' && event.isDone && !context.isStale,
  },
}).createMachine({
  id: 'controller',
  context: ({ input }) => ({ ...input, dc: undefined, isStale: false }),
  initial: 'pending',
  on: {
    viewEnded: { target: '.pending' },
    stopped: { target: '.stopped' },
  },
  states: {
    pending: {
      entry: 'forgetDc',
      on: { viewActivated: 'electing' },
    },
    electing: {
      entry: { type: 'compareCibs', params: {} },
      on: {
        agreed: [
          { guard: 'isSelf', target: 'dc', actions: 'rememberDc' },
          { target: 'following', actions: 'rememberDc' },
        ],
      },
    },
    following: {},
    dc: {
      initial: 'integrating',
      entry: { type: 'lead', params: {} },
      exit: { type: 'stepDown', params: {} },
      states: {
        integrating: {
          entry: { type: 'checkFitness', params: {} },
          on: { fit: 'scheduling', news: { actions: { type: 'checkFitness', params: {} } } },
        },
        scheduling: {
          entry: ['setFresh', { type: 'schedule', params: {} }],
          on: {
            news: { actions: 'setStale' },
            unfit: { target: 'integrating', actions: { type: 'discardSchedule', params: {} } },
            scheduled: [
              { guard: 'isStale', target: 'integrating' },
              { guard: 'isEmpty', target: 'idle' },
              { target: 'executing' },
            ],
            planFailed: [{ guard: 'isStale', target: 'integrating' }, { target: 'unplanned' }],
          },
        },
        executing: {
          entry: { type: 'carryOut', params: {} },
          on: {
            news: {
              actions: ['setStale', { type: 'abortTransition', params: ({ event }) => ({ reason: event.reason }) }],
            },
            unfit: {
              actions: [
                'setStale',
                { type: 'abortTransition', params: { reason: 'the partition is not fit to be planned for' } },
              ],
            },
            transitionEnded: [{ guard: 'isDone', target: 'idle' }, { target: 'integrating' }],
          },
        },
        unplanned: {
          entry: { type: 'lookAgain', params: {} },
          on: { news: 'integrating', unfit: 'integrating', recheck: 'integrating' },
        },
        idle: {
          entry: { type: 'settle', params: {} },
          on: { news: 'integrating', unfit: 'integrating', recheck: 'integrating' },
        },
      },
    },
    stopped: { type: 'final' },
  },
});
