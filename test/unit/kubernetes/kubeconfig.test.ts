import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findAccess } from '../../../src/kubernetes/index.js';

const FILE = `apiVersion: v1
kind: Config
current-context: here
contexts:
- name: here
  context: { cluster: lab, user: router, namespace: overlay }
clusters:
- name: lab
  cluster: { server: "https://192.0.2.1:6443", certificate-authority: ca.crt }
users:
- name: router
  user: { tokenFile: token }
`;

describe('a router outside of a pod', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'weft-kubeconfig-'));
    writeFileSync(join(directory, 'ca.crt'), 'the certificate');
    writeFileSync(join(directory, 'token'), 'the-token\n');
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const access = async (text: string) => {
    const path = join(directory, 'config');
    writeFileSync(path, text);
    return await findAccess({ KUBECONFIG: path, KUBERNETES_SERVICE_HOST: '10.96.0.1' });
  };

  test('speaks to the server of the current context, with what the file names beside itself', async () => {
    const found = await access(FILE);
    expect(found.origin).toBe('https://192.0.2.1:6443');
    expect(await found.namespace()).toBe('overlay');
    expect(await found.credentials()).toMatchObject({ token: 'the-token', tls: { ca: 'the certificate' } });
  });

  test('shows the certificate that the file holds', async () => {
    const data = (text: string) => Buffer.from(text).toString('base64');
    const user = `{ client-certificate-data: ${data('mine')}, client-key-data: ${data('secret')} }`;
    const found = await access(FILE.replace('{ tokenFile: token }', user));
    expect(await found.credentials()).toMatchObject({
      token: undefined,
      tls: { cert: 'mine', key: 'secret' },
    });
  });

  test.each([
    ['a program for credentials', FILE.replace('tokenFile: token', 'exec: { command: aws }'), /runs none/],
    ['no encryption', FILE.replace('https:', 'http:'), /must be https/],
    [
      'another context',
      FILE.replace('current-context: here', 'current-context: there'),
      /no context called "there"/,
    ],
    ['another cluster', FILE.replace('cluster: lab', 'cluster: other'), /no cluster called "other"/],
    ['nothing of it', 'hello', /malformed/],
    ['no YAML', '{', /cannot be read/],
  ])('that is told of %s says so', async (_, text, why) => {
    await expect(access(text)).rejects.toThrow(why);
    await expect(access(text)).rejects.toMatchObject({ code: 'bad-kubeconfig' });
  });

  test('without a file says what is missing, in one line', async () => {
    await expect(findAccess({})).rejects.toMatchObject({ code: 'no-cluster' });
    await expect(findAccess({ KUBECONFIG: '/nonexistent' })).rejects.toThrow(/ENOENT/);
  });

  test('in a pod needs none', async () => {
    const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
    expect((await findAccess(env)).origin).toBe('https://10.96.0.1:443');
  });
});
