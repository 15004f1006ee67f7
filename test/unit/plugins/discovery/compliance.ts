import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  pause,
  type Snapshot,
  type Source,
  type SourceContext,
} from '../../../../src/plugins/discovery/index.js';
import { readTargets } from '../../../../src/plugins/discovery/targets.js';

/** What a source asks, in the hands of a test. */
export interface Provider {
  /** From now on it names these targets and no others; with none, it is there and names nothing. */
  name(targets: readonly string[]): Promise<void>;
  /** It answers nobody, or only with errors. */
  break(): Promise<void>;
  /** As it was before it broke. */
  mend(): Promise<void>;
  readonly source: Source;
  end?(): Promise<void>;
}

export interface Implementation {
  readonly kind: string;
  /** Why it cannot be tried here. */
  readonly missing?: string | undefined;
  /** `directory` is the test's own. */
  readonly make: (directory: string, context: SourceContext) => Promise<Provider>;
}

/** What a source may take to tell of a change, in a test. */
const BRISK = 50;

/** A router that has the address 192.0.2.250; all waits are shortened. */
export function contextOf(more: Partial<SourceContext> = {}): SourceContext {
  return {
    peer: '00aa00aa00aa00aa',
    addresses: () => ['192.0.2.250:6783'],
    port: 6783,
    ownAddresses: async () => ['192.0.2.250'],
    marks: () => [],
    resolvConf: '/nonexistent',
    pause: (milliseconds, signal) => pause(Math.min(milliseconds, BRISK), signal),
    ...more,
  };
}

const OURS = '192.0.2.250:6783';

/** What each source is held to, whatever it asks. */
export function complies({ kind, missing, make }: Implementation): void {
  describe.skipIf(missing !== undefined)(`a source of kind ${kind}`, () => {
    let directory: string;
    let provider: Provider;
    let ending: AbortController;

    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'weft-discovery-'));
      provider = await make(directory, contextOf());
      ending = new AbortController();
    });

    afterEach(async () => {
      ending.abort();
      await provider.end?.();
      await rm(directory, { recursive: true });
    });

    /** Resolves with the first snapshot that names these targets, apart from ourselves. */
    async function named(following: AsyncGenerator<Snapshot>, ...targets: string[]): Promise<Snapshot> {
      for (;;) {
        const { value, done } = await following.next();
        if (done) throw new Error('it ended');
        const found = [...readTargets(value.targets).targets].filter((target) => target !== OURS);
        if (found.sort().join() === targets.sort().join()) return value;
      }
    }

    /** As the router does: begins again until the source works. */
    async function namedAtLast(...targets: string[]): Promise<void> {
      for (;;) {
        try {
          await named(provider.source.follow(ending.signal), ...targets);
          return;
        } catch {
          await pause(BRISK, ending.signal);
        }
      }
    }

    test('gives all targets at first, and again when there are others', async () => {
      await provider.name(['192.0.2.1:6783', '192.0.2.2:6783']);
      const following = provider.source.follow(ending.signal);
      await named(following, '192.0.2.1:6783', '192.0.2.2:6783');
      await provider.name(['192.0.2.2:6783', '192.0.2.3:6783']);
      const { whole } = await named(following, '192.0.2.2:6783', '192.0.2.3:6783');
      expect(whole).toBe(true);
    });

    test('that cannot answer says so and gives no snapshot; it works once what it asks is there', async () => {
      await provider.name(['192.0.2.1:6783']);
      await provider.break();
      await expect(provider.source.follow(ending.signal).next()).rejects.toThrow();
      await provider.mend();
      await namedAtLast('192.0.2.1:6783');
    });

    test('that breaks while it is followed says so, or goes on once it is mended', async () => {
      await provider.name(['192.0.2.1:6783']);
      const following = provider.source.follow(ending.signal);
      await named(following, '192.0.2.1:6783');
      await provider.break();
      await provider.mend();
      await provider.name(['192.0.2.4:6783']);
      await named(following, '192.0.2.4:6783').catch(() => namedAtLast('192.0.2.4:6783'));
    });

    test('ends when it is told to, whatever it waits for', async () => {
      await provider.name(['192.0.2.1:6783']);
      const following = provider.source.follow(ending.signal);
      await named(following, '192.0.2.1:6783');
      const next = following.next();
      ending.abort();
      await next.catch(() => {});
      expect(await following.next()).toMatchObject({ done: true });
    });
  });
}
