import { describe, expect, test } from 'vitest';
import type { Labels } from '../../../src/labels.js';
import { carriedLabels, ownLabels, requestOf } from '../../../src/plugins/labels/labels.js';

const ID = 'ab'.repeat(32);

describe('labels', () => {
  test.each([
    [{}, undefined],
    [{ 'weft.attach': 'false' }, undefined],
    [{ 'weft.attach': ' ' }, undefined],
    [{ 'weft.name': 'web' }, undefined],
    [{ 'weft.attach': 'true' }, { target: `container:${ID}`, addresses: [] }],
    [
      {
        'weft.attach': ' 10.32.0.1/12,fd32::1/64  net:default',
        'weft.name': 'store',
        'weft.network': 'backend',
      },
      {
        target: `container:${ID}`,
        addresses: ['10.32.0.1/12', 'fd32::1/64', 'net:default'],
        name: 'store',
        network: 'backend',
      },
    ],
  ])('%j ask for %j', (labels: Record<string, string>, request) => {
    expect(requestOf(ID, labels)).toEqual(request);
  });

  test('of an image do not count, unless whoever ran the container said something else', () => {
    const image = { 'weft.attach': '10.32.0.1/12', maintainer: 'somebody' };
    expect(ownLabels({ ...image }, image)).toEqual({});
    expect(ownLabels({ ...image, 'weft.attach': 'true' }, image)).toEqual({ 'weft.attach': 'true' });
  });

  describe('that others are to know', () => {
    const carried = (labels: Labels, ofImage: Labels = {}) =>
      carriedLabels({ imageLabels: async () => ofImage }, { image: 'nginx', labels });

    test('begin with weft.label., or are those of Compose and swarms', async () => {
      const tools = {
        'com.docker.compose.project': 'shop',
        'com.docker.compose.service': 'web',
        'com.docker.swarm.service.name': 'shop_web',
      };
      const others = { 'weft.attach': 'true', 'com.docker.compose.oneoff': 'False', maintainer: 'somebody' };
      expect(await carried({ ...tools, ...others, 'weft.label.app': 'shop', 'weft.label.note': '' })).toEqual(
        {
          ...tools,
          app: 'shop',
          note: '',
        },
      );
    });

    test('are not those of the image', async () => {
      const image = { 'weft.label.trusted': 'yes', 'com.docker.compose.project': 'of-the-image' };
      expect(await carried({ ...image, 'weft.label.app': 'shop' }, image)).toEqual({ app: 'shop' });
    });

    test('take no question about the image where there are none', async () => {
      const engine = {
        imageLabels: async () => {
          throw new Error('it was asked');
        },
      };
      expect(await carriedLabels(engine, { image: 'nginx', labels: { 'weft.attach': 'true' } })).toEqual({});
    });

    test('are left out beyond what a container can have', async () => {
      const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`weft.label.l${i}`, String(i)]));
      const odd = {
        'weft.label.': 'x',
        'weft.label.a b': 'x',
        'weft.label.esc': '\u001b[2J',
        'weft.label.long': 'x'.repeat(254),
      };
      const kept = await carried({ ...odd, ...many, 'com.docker.compose.project': 'shop' });
      expect(Object.keys(kept)).toEqual(Array.from({ length: 16 }, (_, i) => `l${i}`));
    });

    test('that whoever ran the container chose count before those of tools', async () => {
      const project = 'com.docker.compose.project';
      expect(await carried({ [project]: 'shop', [`weft.label.${project}`]: 'mine' })).toEqual({
        [project]: 'mine',
      });
    });
  });
});
