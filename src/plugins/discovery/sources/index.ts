/** What there is to ask for targets, a file each. */
export { consulSource } from './consul.js';
export { dnsSource } from './dns.js';
export { etcdSource } from './etcd.js';
export { execSource } from './exec.js';
export { fileSource } from './file.js';
export { kubernetesSource } from './kubernetes/index.js';
export { mdnsSource, placesOf } from './mdns/index.js';
export { parseUrl } from './url.js';
