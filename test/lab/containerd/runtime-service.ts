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
  readonly linux: { readonly cgroupParent: string };
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

  close(): void {
    this.#client.close();
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
