/** Where the containers of all routers are: what each router publishes, and the picture that follows. docs/protocol.md, section 8 */
export { type Endpoint, EndpointDirectory, type EndpointSink } from './directory.js';
export {
  addressBytes,
  checkRecord,
  ENDPOINT_LIMITS,
  type EndpointRecord,
  endpointKey,
  endpointRecord,
  groupsKey,
  weightOf,
} from './record.js';
