import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { consulSource } from '../../../../src/plugins/discovery/sources/index.js';
import { contextOf } from './compliance.js';
import { ConsulAgent } from './consul.js';

const OURS = '192.0.2.250:6783';

describe('a router with Consul', () => {
  let agent: ConsulAgent;
  let url: URL;
  let ending: AbortController;

  beforeEach(async () => {
    agent = new ConsulAgent();
    url = await agent.start();
    ending = new AbortController();
  });

  afterEach(() => {
    ending.abort();
    agent.stop();
  });

  const follow = () => consulSource(url, 'weft', contextOf()).follow(ending.signal);
  const targetsOf = async (following: ReturnType<typeof follow>) => (await following.next()).value?.targets;

  test('is an instance of the service until it stops', async () => {
    const following = follow();
    expect(await targetsOf(following)).toEqual([OURS]);
    await following.return(undefined);
    expect(agent.instances.size).toBe(0);
  });

  test('registers itself again when the agent was started anew and forgot it', async () => {
    const following = follow();
    await following.next();
    agent.instances.clear();
    agent.changed();
    expect(await targetsOf(following)).toEqual([OURS]);
  });

  test('that may not register only asks', async () => {
    agent.readOnly = true;
    agent.instances.set('a', { ID: 'a', Address: '', Port: 6783, passing: true });
    expect(await targetsOf(follow())).toEqual(['192.0.2.99:6783']); // an instance without an address is at its node's
  });

  test('asks from the beginning when the index goes back', async () => {
    const following = follow();
    await following.next();
    agent.index = 1;
    agent.changed();
    await following.next();
    expect(await targetsOf(following)).toEqual([OURS]);
  });

  test('shows the token of its URL to the agent and to nobody else', async () => {
    url.password = 'hunter2';
    const source = consulSource(url, 'weft', contextOf());
    await source.follow(ending.signal).next();
    expect([...agent.tokens]).toEqual(['hunter2']);
    expect(source.name).not.toMatch(/hunter2/);
  });
});
