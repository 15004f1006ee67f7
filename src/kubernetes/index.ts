/** The API server of Kubernetes: where it is, and what there is in it, from then on as it changes. */
export { type Access, type Credentials, podAccess } from './access.js';
export { explained, keyOf, listOf } from './answers.js';
export { Api, HttpRefusal } from './api.js';
export { Collection, type Listed, type Pause } from './collection.js';
export { Contents, type Resource } from './contents.js';
export { findAccess } from './find-access.js';
export { Mirror, type MirrorStatus } from './mirror.js';
