/** Names of containers: who is called what on all hosts, and the server that answers for it. docs/guide.md, "Names". */
export { Answers } from './answers.js';
export { addressBytes, addressText, checkName, DEFAULT_DOMAIN, parseDomain, parseName } from './name.js';
export { NameForwarder } from './name-forwarder.js';
export { OwnNames, type Undo } from './own-names.js';
export {
  checkNameRecord,
  decodeKey,
  encodeKey,
  type NameKey,
  type NameRecord,
  nameAddresses,
} from './records.js';
export { DnsServer, type DnsSockets } from './server.js';
export { addressTexts, type NameEntry, NameTable, wireKey } from './table.js';
export { nameserversIn, Upstreams } from './upstreams.js';
