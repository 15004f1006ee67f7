/** Puts right what somebody else changed, and does not fight for ever. */
export { type Fault, faultOf, Repairs } from './repairs.js';
