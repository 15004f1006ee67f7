import { complies } from './compliance.js';
import { CONSUL } from './consul.js';
import { ETCD } from './etcd.js';
import { NODES, SERVICE } from './kubernetes.js';
import { MDNS } from './mdns.js';
import { CONFIG_MAP, DNS, EXEC, FILE, SRV } from './providers.js';

for (const implementation of [FILE, CONFIG_MAP, EXEC, DNS, SRV, ETCD, CONSUL, NODES, SERVICE, MDNS])
  complies(implementation);
