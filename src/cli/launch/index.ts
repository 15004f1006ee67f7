/** What `weft launch` may be told, and what it says. */
export { type LaunchOptions, withLaunchOptions } from './options.js';
export { type Launched, readyText } from './ready-text.js';
