import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkMtu, overlayMtu, superframe } from '../../../src/hostnet/underlay/mtu.js';

describe('the MTU of the overlay', () => {
  it('leaves room for the tunnel on the narrowest path', () => {
    expect(overlayMtu([{ mtu: 1500, family: 'inet' }])).toBe(1418);
    expect(
      overlayMtu([
        { mtu: 9000, family: 'inet' },
        { mtu: 1500, family: 'inet6' },
      ]),
    ).toBe(1398);
  });

  it('is that of an Ethernet wire when no path is known', () => expect(overlayMtu([])).toBe(1418));

  it('is never less than IPv6 needs', () => expect(overlayMtu([{ mtu: 1280, family: 'inet' }])).toBe(1280));

  it('keeps a frame in one datagram on a loopback wire', () => {
    const mtu = overlayMtu([{ mtu: 65_536, family: 'inet' }]);
    expect(() => checkMtu(mtu)).not.toThrow();
    expect(superframe(mtu).segments).toBe(1);
  });
});

describe('the superframe of a container', () => {
  it('fits one UDP_SEGMENT send, for every MTU', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1280, max: 64_946 }), (mtu) => {
        const { segments, bytes } = superframe(mtu);
        expect(segments).toBeGreaterThanOrEqual(1);
        expect(segments).toBeLessThanOrEqual(64);
        expect(segments * (mtu + 82 - 28)).toBeLessThanOrEqual(65_000);
        expect(bytes).toBe(segments * mtu);
      }),
    );
  });
});
