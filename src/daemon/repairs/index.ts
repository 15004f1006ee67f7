export { type Fault, faultOf, Repairs } from './repairs.js';
