/** Who is out, and which secret is in: signed statements of members that all others enforce. docs/protocol.md, section 10. */
export type { Content, Removed, Revoked, Rotated, Statement } from './statement.js';
export { MAX_GENERATION, MAX_REMOVED_INCARNATION } from './statement.js';
export { Statements } from './statements.js';
