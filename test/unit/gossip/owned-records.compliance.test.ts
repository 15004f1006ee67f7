import { boundedString } from '../../../src/codec.js';
import { OwnedRecords, type OwnedRecordsLimits } from '../../../src/gossip/index.js';
import { identityFromSeed } from '../../../src/identity/index.js';
import { gossipChannelCompliance, type Replica } from './compliance.js';

function newRecords(router: number, limits: Partial<OwnedRecordsLimits> = {}): OwnedRecords<string> {
  return new OwnedRecords<string>({
    name: 'names',
    identity: identityFromSeed(Buffer.alloc(32, router + 1)),
    now: () => 1000,
    value: boundedString(1000),
    limits,
  });
}

function replicaOf(records: OwnedRecords<string>): Replica {
  let count = 0;
  return {
    channel: records,
    change(what) {
      if (what % 3 === 2) records.remove('key 0');
      else records.set(`key ${what % 3}`, `value ${count++}`);
    },
    state: () => [...records.entries()].map(({ owner, key, value }) => `${owner} ${key}=${value}`).sort(),
  };
}

gossipChannelCompliance({
  name: 'owned records',
  make: (router) => replicaOf(newRecords(router)),
  flood() {
    const cap = 20;
    const listeners: OwnedRecords<string>[] = [];
    return {
      // Each record takes 512 bytes beside its own.
      make() {
        const records = newRecords(9, { owner: cap * 512 });
        listeners.push(records);
        return replicaOf(records);
      },
      cap,
      held: () => [...(listeners[0]?.entries() ?? [])].length,
      *deltas() {
        const hostile = newRecords(0);
        for (let index = 0; index < 10 * cap; index++) {
          hostile.set(`key ${index}`, 'v');
          yield* hostile.takeDeltas();
        }
      },
    };
  },
});
