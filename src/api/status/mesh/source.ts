import type { Readable } from 'node:stream';
import type { PeerPath } from '../../routes/paths.js';
import type { Found, HostDetails, MeshView } from './view.js';

/** What the page needs to know of a router. Nothing of it is asked while nobody looks. */
export interface MeshSource {
  /** The mesh as it is now. It lets other work go on in between. */
  view(): Promise<MeshView>;
  /** Undefined: there is no such router. */
  host(peer: string): Promise<HostDetails | undefined>;
  /** How it is reached, and what was tried. Undefined: there is no such router, or it is this one. */
  path(peer: string): Promise<PeerPath | undefined>;
  find(text: string): Promise<Found>;
  /** Calls the listener whenever a path changed, until the returned function is called. */
  onPathNews(listener: () => void): () => void;
  /** Events as lines of JSON, the last ones first; each as `format` makes it. */
  events(format: (line: string) => string): Readable;
}
