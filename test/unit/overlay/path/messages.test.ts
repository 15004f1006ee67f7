import { expect, test } from 'vitest';
import { type PeerId, peerIdBytes } from '../../../../src/identity/index.js';
import { encodePathMessage, PUNCH, TICKET, WHICH_HOP } from '../../../../src/overlay/path/messages.js';
import { hexOf, protocolVectors } from '../../identity/vectors.js';

test('path messages are as the protocol says', () => {
  const vector = protocolVectors('7.2');
  const peer = [peerIdBytes('2222222222222222' as PeerId)];
  const endpoints = ['192.0.2.1:6783'];
  expect(hexOf(encodePathMessage(PUNCH, 0, { endpoints }))).toBe(vector('punch'));
  expect(hexOf(encodePathMessage(WHICH_HOP, 7, { peer }))).toBe(vector('which hop'));
  expect(hexOf(encodePathMessage(TICKET, 9, { ticket: Buffer.alloc(24, 0x18) }))).toBe(vector('ticket'));
});
