/** The mesh as a picture, and as a list for whoever does not see it. */
export { Outline } from './outline.js';
export { Picture } from './picture.js';
