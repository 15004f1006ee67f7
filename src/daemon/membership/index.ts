/** Who may take part, where members are, and how the next one is invited. */
export { joinCommand, joinInvitation } from './invitation.js';
export { KnownMembers } from './known-members.js';
export { nameOf } from './peer-names.js';
export { PeerPaths } from './peer-paths.js';
export { shareRecords } from './shared-records.js';
export { Targets } from './targets.js';
export { Trust } from './trust.js';
