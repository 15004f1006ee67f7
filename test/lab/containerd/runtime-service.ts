import { fileURLToPath } from 'node:url';
import { type Client, credentials, loadPackageDefinition, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const PROTO = fileURLToPath(new URL('./runtime.proto', import.meta.url));
/** A runtime waits for a plugin that waits for its router, ms. */
const PATIENCE = 100_000;

/** A port of the host that leads to one of a pod. */
export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol?: 'TCP' | 'UDP';
}

export interface PodSandboxConfig {
  readonly metadata: { readonly name: string; readonly uid: string; readonly namespace: string };
  readonly hostname: string;
  readonly portMappings: readonly PortMapping[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: {
    readonly cgroupParent: string;
    readonly securityContext?: { readonly namespaceOptions: NamespaceOptions };
  };
}

interface NamespaceOptions {
  readonly network: 'POD' | 'NODE';
  readonly pid: 'CONTAINER' | 'NODE';
}

/** A container, as far as tests say how it is to be. */
export interface ContainerConfig {
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly image: { readonly image: string };
  readonly command: readonly string[];
  readonly envs: readonly { readonly key: string; readonly value: string }[];
  readonly mounts: readonly {
    readonly containerPath: string;
    readonly hostPath: string;
    readonly propagation?: string;
  }[];
  readonly devices: readonly {
    readonly containerPath: string;
    readonly hostPath: string;
    readonly permissions: string;
  }[];
  readonly linux: {
    readonly securityContext: {
      readonly capabilities: { readonly addCapabilities: readonly string[] };
      readonly namespaceOptions: NamespaceOptions;
    };
  };
}

/** How a command in a container ended. */
export interface Executed {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitCode: number;
}

export interface PodSandboxStatus {
  readonly status: {
    readonly network: { readonly ip: string; readonly additionalIps: { readonly ip: string }[] };
  };
  readonly info: Readonly<Record<string, string>>;
}

export interface RuntimeStatus {
  readonly status: { readonly conditions: { readonly type: string; readonly status: boolean }[] };
}

type Call = (
  request: object,
  options: object,
  done: (error: ServiceError | null, answer: unknown) => void,
) => void;

/** A runtime, as a kubelet asks it. */
export class RuntimeService {
  readonly #client: Client & Record<string, Call>;

  constructor(socket: string) {
    const { runtime } = loadPackageDefinition(
      loadSync(PROTO, { enums: String, defaults: true }),
    ) as unknown as {
      runtime: { v1: { RuntimeService: new (...args: unknown[]) => Client & Record<string, Call> } };
    };
    this.#client = new runtime.v1.RuntimeService(`unix:${socket}`, credentials.createInsecure());
  }

  async status(): Promise<RuntimeStatus> {
    return await this.#call('Status', {});
  }

  /** Gives its id. */
  async runPodSandbox(config: PodSandboxConfig): Promise<string> {
    const { podSandboxId } = await this.#call<{ podSandboxId: string }>('RunPodSandbox', { config });
    return podSandboxId;
  }

  async podSandboxStatus(podSandboxId: string): Promise<PodSandboxStatus> {
    return await this.#call('PodSandboxStatus', { podSandboxId, verbose: true });
  }

  async stopPodSandbox(podSandboxId: string): Promise<void> {
    await this.#call('StopPodSandbox', { podSandboxId });
  }

  async removePodSandbox(podSandboxId: string): Promise<void> {
    await this.#call('RemovePodSandbox', { podSandboxId });
  }

  /** Creates and starts a container of a pod; gives its id. */
  async runContainer(
    podSandboxId: string,
    config: ContainerConfig,
    sandboxConfig: PodSandboxConfig,
  ): Promise<string> {
    const request = { podSandboxId, config, sandboxConfig };
    const { containerId } = await this.#call<{ containerId: string }>('CreateContainer', request);
    await this.#call('StartContainer', { containerId });
    return containerId;
  }

  /** Has it end, and removes it. */
  async endContainer(containerId: string): Promise<void> {
    await this.#call('StopContainer', { containerId, timeout: 30 });
    await this.#call('RemoveContainer', { containerId });
  }

  async execute(containerId: string, cmd: readonly string[]): Promise<Executed> {
    return await this.#call('ExecSync', { containerId, cmd });
  }

  #call<T>(method: string, request: object): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = this.#client[method];
      if (call === undefined) throw new Error(`the service has no ${method}`);
      call.call(this.#client, request, { deadline: Date.now() + PATIENCE }, (error, answer) => {
        if (error === null) resolve(answer as T);
        else reject(new Error(`${method}: ${error.details}`));
      });
    });
  }
}
