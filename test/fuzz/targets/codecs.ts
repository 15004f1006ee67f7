import type { Encoder } from 'compact-encoding';
import { decodeExact, encode } from '../../../src/codec.js';
import { nameAddresses } from '../../../src/dns/index.js';
import { endpointRecord } from '../../../src/endpoints/record.js';
import * as election from '../../../src/ipam/election/wire.js';
import { decodeMessage, encodeMessage } from '../../../src/ipam/ring/message-wire.js';
import { ringRecord } from '../../../src/ipam/ring/record-wire.js';
import { readHello } from '../../../src/mesh/link/handshake.js';
import * as link from '../../../src/mesh/link/messages.js';
import { routedMessage } from '../../../src/mesh/link/routed-message.js';
import { readRecord } from '../../../src/mesh/membership/record.js';
import { networkRecord } from '../../../src/networks/index.js';
import { linkState } from '../../../src/overlay/path/link-state.js';
import { pathMessage } from '../../../src/overlay/path/messages.js';
import * as session from '../../../src/overlay/session/messages.js';
import { policyRecord } from '../../../src/policy/index.js';
import { readStatement } from '../../../src/trust/statement.js';
import { corpus } from '../corpus.js';
import { Fault, type Target } from '../target.js';

/** What takes bytes apart, by the name of its corpus. Gives the bytes again where a value has one encoding. */
type Codec = (bytes: Buffer) => Uint8Array | undefined;

const CODECS: Readonly<Record<string, Codec>> = {
  proof: exact(link.proofMessage),
  hello: exact(link.hello),
  ping: exact(link.ping),
  bye: exact(link.bye),
  unicast: exact(link.unicast),
  deltas: exact(link.deltas),
  digest: exact(link.digest),
  routed: exact(routedMessage),
  session: exact(session.sessionMessage),
  initiation: exact(session.initiationPayload),
  response: exact(session.responsePayload),
  path: exact(pathMessage),
  'links-value': exact(linkState),
  'endpoints-value': exact(endpointRecord),
  'networks-value': exact(networkRecord),
  'policies-value': exact(policyRecord),
  'names-value': exact(nameAddresses),
  'ring-record': exact(ringRecord),
  'member-record': (bytes) => readRecord({ record: bytes, signature: Buffer.alloc(64) }).record,
  statement(bytes) {
    readStatement(bytes);
    return undefined;
  },
  'ring-message'(bytes) {
    const hash = bytes.subarray(0, 8);
    return hash.length < 8 ? undefined : encodeMessage(decodeMessage(bytes, hash), hash);
  },
  'election-delta': (bytes) => election.encodeDelta(election.decodeDelta(bytes)),
  'hello-reader'(bytes) {
    readHello(bytes, null);
    return undefined;
  },
};

/** Each decoder by itself: it fails in one way, and takes no bytes but the one encoding of a value. */
export const CODEC_TARGETS: readonly Target[] = Object.entries(CODECS).map(([name, codec]) => {
  const seeds = corpus(name === 'hello-reader' ? 'hello' : name);
  return {
    name: `codec-${name}`,
    seeds,
    open: async () => ({
      take(input) {
        const again = codec(input);
        if (again !== undefined && !input.equals(again)) throw new Fault('a value has two encodings');
        return [];
      },
      verify() {
        if (name !== 'hello-reader') for (const seed of seeds) codec(seed);
      },
    }),
  };
});

function exact<T>(encoder: Encoder<T>): Codec {
  return (bytes) => encode(encoder, decodeExact(encoder, bytes));
}
