/** Which keys two peers share, when those are renewed, and how they agree on new ones. docs/protocol.md, section 4. */
export { SESSION_CHANNEL } from './messages.js';
export {
  type LocalOffer,
  Session,
  type SessionAction,
  type SessionOptions,
  type SessionTimings,
} from './session.js';
