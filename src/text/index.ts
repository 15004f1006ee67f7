/** Texts of others: as they come in pieces, and as they may be shown. */
export { linesOf } from './lines.js';
export { loggable } from './loggable.js';
export { printable } from './printable.js';
export { SHORT_ID, shortId } from './short-id.js';
