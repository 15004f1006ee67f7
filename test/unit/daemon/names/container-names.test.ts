import { describe, expect, it } from 'vitest';
import { ContainerNames, type Interface } from '../../../../src/daemon/names/container-names.js';

const WEB: Interface = {
  network: 7,
  mac: '02:00:00:00:00:01',
  addresses: ['10.40.0.1/16', 'fd40::1/64'],
  fixed: [],
  interface: 'ethweft0',
  port: 'wv0',
  id: 'c1',
  name: 'shop-web-1',
  hostname: 'c1',
  aliases: ['web', 'web.shop'],
  dns: true,
  labels: {},
};

function names() {
  const bad: string[] = [];
  const all = new ContainerNames({
    domain: 'weft.local',
    onBad: (id, error) => bad.push(`${id}: ${error}`),
  });
  return { bad, of: (each: Partial<Interface>) => all.of({ ...WEB, ...each }).map(({ name }) => name) };
}

describe('a container', () => {
  it('is found by its name, its host name and its aliases, each once, also by service and project', () => {
    expect(names().of({})).toEqual(['shop-web-1', 'c1', 'web', 'web.shop']);
    expect(names().of({ hostname: 'web', aliases: ['web', 'shop-web-1'] })).toEqual(['shop-web-1', 'web']);
  });

  it('has all its addresses under each of them, on the network of its interface', () => {
    const { bad, of } = names();
    expect(of({})).toHaveLength(4);
    const [record] = new ContainerNames({
      domain: 'weft.local',
      onBad: (_, error) => bad.push(`${error}`),
    }).of(WEB);
    expect(record).toMatchObject({ network: 7, container: 'c1' });
    expect(record?.addresses.map(({ length }) => length)).toEqual([4, 16]);
    expect(bad).toEqual([]);
  });

  it('has no name at all when it is not to be found', () => {
    expect(names().of({ dns: false })).toEqual([]);
  });

  it('keeps its other names when something that it is called cannot be one, which is told once', () => {
    const { bad, of } = names();
    for (let i = 0; i < 3; i += 1)
      expect(of({ aliases: ['a b', 'web', '-'] })).toEqual(['shop-web-1', 'c1', 'web']);
    expect(bad).toHaveLength(2);
    expect(bad[0]).toContain('"a b" cannot name a container');
  });
});
