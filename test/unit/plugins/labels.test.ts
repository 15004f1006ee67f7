import { describe, expect, test } from 'vitest';
import { ownLabels, requestOf } from '../../../src/plugins/labels/labels.js';

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
});
