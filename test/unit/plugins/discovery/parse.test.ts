import { describe, expect, test } from 'vitest';
import { parseSource } from '../../../../src/plugins/discovery/index.js';
import { contextOf } from './compliance.js';

describe('--discover', () => {
  test.each([
    'dns:routers.example',
    'dns:routers.example:7000',
    'dns:_weft._tcp.example',
    'file:/etc/weft/targets',
    'exec:/usr/local/bin/routers',
    'etcd:https://etcd.example:2379/weft/routers',
    'consul:http://127.0.0.1:8500/weft',
    'mdns:',
    'mdns:lab-2',
    'kubernetes:',
    'kubernetes:weft',
    'kubernetes:weft.kube-system',
  ])('takes %s, and calls the source so', (text) => {
    expect(parseSource(text)(contextOf()).name).toBe(text);
  });

  test.each([
    'etcd:https://root:hunter2@etcd.example:2379/weft',
    'etcd:ftp://root:hunter2@etcd.example/weft',
    'etcd:root:hunter2@etcd.example',
    'consul:http://:hunter2@127.0.0.1:8500/weft',
    'etcd:http://root:hunter2@etcd.example:99999/weft',
  ])('keeps the password of %s to itself', (text) => {
    const said = () => {
      try {
        return parseSource(text)(contextOf()).name;
      } catch (error) {
        return String(error);
      }
    };
    expect(said()).not.toMatch(/hunter2|root/);
  });

  test.each([
    ['nonsense', /KIND:ARGUMENT, with one of dns, file, exec, etcd, consul, mdns, kubernetes/],
    ['ldap:x', /KIND:ARGUMENT, with one of dns/],
    ['dns:', /it is neither/],
    ['dns:192.0.2.1', /give it as a peer/],
    ['dns:localhost', /every host is that itself/],
    ['dns:a.example:0', /the port must be/],
    ['file:targets', /give the whole path/],
    ['exec:ls -l', /give the whole path/],
    ['consul:http://127.0.0.1:8500', /the service is missing/],
    ['etcd:http://etcd.example:2379', /the prefix of the keys is missing/],
    ['etcd:etcd.example/weft', /its URL must begin with http|no URL/],
    ['etcd:http://a/b?c', /neither \? nor #/],
    ['mdns:_weft._tcp', /small letters, digits and dashes/],
    ['mdns:a-name-that-is-too-long', /15 small letters/],
    ['kubernetes:a.b.c', /SERVICE or SERVICE\.NAMESPACE/],
    ['kubernetes:../x', /SERVICE or SERVICE\.NAMESPACE/],
    ['exec:/bin/\u0007', /cannot be printed/],
  ])('refuses %j in one line that says why', (text, why) => {
    const read = () => parseSource(text);
    expect(read).toThrow(expect.objectContaining({ code: 'bad-source' }));
    expect(read).toThrow(why);
    expect(read).toThrow(/^[^\n]*$/);
  });
});
