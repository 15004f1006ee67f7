/** The library, in a chunk of its own: it is loaded with the first engine that is there. */
export { Client } from 'undici';
