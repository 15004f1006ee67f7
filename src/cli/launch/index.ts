/** What `weft launch` may be told. */
export { type LaunchOptions, withLaunchOptions } from './options.js';
