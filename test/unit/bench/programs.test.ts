import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { choosePrograms, findVersion, PACKAGED, versionOf } from '../../../bench/programs.js';

describe('the programs that are compared', () => {
  it('are those of the distribution unless others are named', () => {
    expect(choosePrograms({})).toEqual(PACKAGED);
    const chosen = choosePrograms({ wireguardGo: 'build/wireguard-go', nebula: 'nebula-1.9' });
    expect(chosen).toEqual({
      ...PACKAGED,
      wireguardGo: resolve('build/wireguard-go'),
      nebula: 'nebula-1.9',
    });
  });

  it.each([
    ['wireguard-go v0.0.20220316\n\nUserspace', 'v0.0.20220316'],
    ['fastd v22\n', 'v22'],
    ['tinc version 1.0.36 (built Dec)', '1.0.36'],
    ['Version: 1.6.1+dfsg\n', '1.6.1'],
    ['f48ebcd-dirty\n', 'f48ebcd-dirty'],
    ['usage: what', undefined],
  ])('that say %j of themselves are of version %j', (text, version) => {
    expect(findVersion(text)).toBe(version);
  });

  it('have no version where they are not installed', async () => {
    expect(await versionOf(['no-such-program-of-ours', '--version'])).toBeUndefined();
  });
});
