/** What happens to this router, gathered from all of its parts. */
export { Happenings } from './happenings.js';
