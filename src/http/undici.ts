/** The library, in a chunk of its own: it is loaded with the first server that is asked. */
export { Client } from 'undici';
