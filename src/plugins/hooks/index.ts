/** Programs of the operator that are run when something happens. */
export { Hooks, type HooksOptions } from './hooks.js';
