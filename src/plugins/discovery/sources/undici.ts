/** The library, in a chunk of its own: it is loaded with the first source that needs it. */
export { Client } from 'undici';
