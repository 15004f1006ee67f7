/** The manifest and the image for Kubernetes, held against what the program takes and does. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { registerCni } from '../../src/cli/commands/cni.js';
import { registerLaunch } from '../../src/cli/commands/launch.js';
import { registerWait } from '../../src/cli/commands/wait.js';
import { weftVersion } from '../../src/version.js';

interface Volume {
  name: string;
  hostPath: { path: string };
}

interface Container {
  image: string;
  command: string[];
  args: string[];
  env: { name: string; valueFrom: Record<string, { name: string; key: string }> }[];
  lifecycle: { postStart: { exec: { command: string[] } } };
  readinessProbe: { httpGet: { host: string; port: number; path: string } };
  livenessProbe: { httpGet: { host: string; port: number; path: string } };
  volumeMounts: { name: string; mountPath: string; mountPropagation?: string }[];
}

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
  data: Record<string, string>;
  rules: Rule[];
  roleRef: { kind: string; name: string };
  subjects: { kind: string; name: string; namespace: string }[];
  spec: {
    template: {
      spec: {
        serviceAccountName: string;
        hostNetwork: boolean;
        tolerations: object[];
        priorityClassName: string;
        containers: [Container];
        volumes: Volume[];
      };
    };
  };
}

const text = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

const manifests = parseAllDocuments(text('deploy/kubernetes/weft.yaml')).map((document) => {
  expect(document.errors).toEqual([]);
  return document.toJS() as Manifest;
});

function manifest(kind: string): Manifest {
  const found = manifests.filter((each) => each.kind === kind);
  expect(found).toHaveLength(1);
  return found[0] as Manifest;
}

const pod = manifest('DaemonSet').spec.template.spec;
const [container] = pod.containers;
const [, , script = ''] = container.lifecycle.postStart.exec.command;

/** `weft`, as far as the manifest uses it. */
const program = new Command('weft');
for (const register of [registerLaunch, registerWait, registerCni]) register(program);

/** The command that these words call; fails where one of their flags is none of its. */
function called(words: readonly string[]): Command {
  const [name, ...rest] = words;
  const subcommand = program.commands.find((each) => each.name() === name);
  const nested = subcommand?.commands.find((each) => each.name() === rest[0]);
  const command = nested ?? subcommand;
  if (command === undefined) throw new Error(`there is no weft ${name}`);
  for (const word of rest.filter((each) => each.startsWith('--'))) {
    expect(command.options.map(({ long }) => long)).toContain(word);
  }
  return command;
}

const defaultOf = (command: Command, flag: string): unknown =>
  command.options.find(({ long }) => long === flag)?.defaultValue;

describe('the manifest for Kubernetes', () => {
  it('uses commands and flags that there are', () => {
    expect(container.command).toEqual(['weft']);
    expect(called(container.args).name()).toBe('launch');
    const commands = [...script.matchAll(/\bweft ([\w -]+);/g)].map(([, words = '']) => words.split(' '));
    expect(commands.map((words) => called(words).name())).toEqual(['wait', 'install']);
  });

  it('has the directories that the program uses, of the host at the same place', () => {
    const [launch, install] = [called(['launch']), called(['cni', 'install'])];
    const used = ['--run-dir', '--state-dir'].map((flag) => defaultOf(launch, flag));
    const runtime = ['--bin-dir', '--conf-dir'].map((flag) => defaultOf(install, flag));
    const mounted = container.volumeMounts.map(({ name, mountPath }) => {
      expect(pod.volumes.find((volume) => volume.name === name)?.hostPath.path).toBe(mountPath);
      return mountPath;
    });
    expect([...mounted].sort()).toEqual([...used, ...runtime, '/run/netns'].sort());
    expect(pod.volumes).toHaveLength(container.volumeMounts.length);
    expect(script).toContain(`[ -e ${defaultOf(launch, '--state-dir')}/cni.json ]`);
    const namespaces = container.volumeMounts.find(({ mountPath }) => mountPath === '/run/netns');
    expect(namespaces?.mountPropagation).toBe('HostToContainer');
  });

  it('asks at the status address whether the router works and lives', () => {
    const help = called(['launch']).options.find(({ long }) => long === '--status-addr')?.description;
    for (const [probe, path] of [
      [container.readinessProbe, '/readyz'],
      [container.livenessProbe, '/livez'],
    ] as const) {
      expect(probe.httpGet.path).toBe(path);
      expect(help).toContain(`${probe.httpGet.host}:${probe.httpGet.port}`);
    }
  });

  it('fills what it refers to', () => {
    const settings = manifest('ConfigMap');
    const known = container.env.map(({ name, valueFrom }) => {
      const { configMapKeyRef: setting } = valueFrom;
      if (setting !== undefined) expect(Object.keys(settings.data)).toContain(setting.key);
      return name;
    });
    const used = container.args.flatMap((each) => [...each.matchAll(/\$\((\w+)\)/g)].map(([, name]) => name));
    expect(known).toEqual(expect.arrayContaining(used));
    expect(known.filter((name) => !used.includes(name))).toEqual(['WEFT_PASSWORD']);
    expect(container.env.map(({ valueFrom }) => valueFrom.secretKeyRef?.key).filter(Boolean)).toEqual(
      [...text('deploy/kubernetes/weft.yaml').matchAll(/--from-literal=([\w-]+)=/g)].map(([, key]) => key),
    );
  });

  it('lets the router read what it follows and change nothing but nodes', () => {
    const { rules } = manifest('ClusterRole');
    const allowed = rules.flatMap(({ apiGroups, resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${apiGroups[0]}/${resource}`)),
    );
    const read = ['/nodes', '/pods', '/namespaces', 'networking.k8s.io/networkpolicies'];
    expect([...allowed].sort()).toEqual(
      [
        ...read.flatMap((resource) => ['get', 'list', 'watch'].map((verb) => `${verb} ${resource}`)),
        'patch /nodes',
        'patch /nodes/status',
      ].sort(),
    );
    const { name, namespace } = manifest('ServiceAccount').metadata;
    expect(manifest('ClusterRoleBinding')).toMatchObject({
      roleRef: { kind: 'ClusterRole', name: manifest('ClusterRole').metadata.name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    });
    expect(pod.serviceAccountName).toBe(name);
  });

  it('runs on every node of the cluster, whatever is wrong with it', () => {
    expect(pod).toMatchObject({
      hostNetwork: true,
      priorityClassName: 'system-node-critical',
      tolerations: [{ operator: 'Exists' }],
    });
  });
});

describe('the image', () => {
  it('is of this version, and runs the same whether Docker makes it or not', () => {
    expect(container.image).toBe(`weft:${weftVersion()}`);
    const { Labels: _, ...image } = JSON.parse(text('scripts/image.json')) as Record<string, unknown>;
    const dockerfile = text('deploy/kubernetes/Dockerfile');
    expect(dockerfile).toContain(`-t weft:${weftVersion()} .`);
    const said = (instruction: string) =>
      new RegExp(`^${instruction} (.*)$`, 'm').exec(dockerfile)?.[1] ?? '';
    expect(image).toEqual({
      Entrypoint: JSON.parse(said('ENTRYPOINT')),
      Cmd: JSON.parse(said('CMD')),
      Env: [said('ENV')],
      StopSignal: said('STOPSIGNAL'),
    });
  });
});
