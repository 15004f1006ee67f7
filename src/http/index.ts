/** HTTP to servers of others, as far as all of them are asked alike. */
export { type JsonRequest, openConnection, sendJson } from './connection.js';
