/** Discovery: sources that tell at which addresses other routers may be. docs/plugins.md, "Sources of targets". */
export { Discovery, pause } from './discovery.js';
export type { SourceStatus } from './follower.js';
export { parseSource } from './parse.js';
export type { Snapshot, Source, SourceContext } from './source.js';
