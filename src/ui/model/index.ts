/** What the page knows of the mesh, and how it is told. */
export { ask } from './ask.js';
export { Filter } from './filter.js';
export { type Course, History } from './history.js';
export { Live } from './live.js';
export { Mesh } from './mesh.js';
