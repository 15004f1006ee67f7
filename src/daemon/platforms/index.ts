/** What platforms of containers may ask of this router: `src/plugins/platform`, done. */
export { Platforms, type PlatformsOptions } from './platforms.js';
