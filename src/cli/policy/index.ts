/** What `weft policy` reads: files of policies, and ports. */
export { readDocuments } from './documents.js';
export { parseSocket } from './socket.js';
