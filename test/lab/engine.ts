import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';

interface Made {
  readonly id: string;
  name: string;
  pid: number;
}

/** What weft sees of a container engine: it answers on a unix socket as Docker's API does, about processes that the test started. */
export class FakeEngine {
  readonly #containers = new Map<string, Made>();
  readonly #listeners = new Set<ServerResponse>();
  readonly #server: Server;
  /** How often it was asked about a container. */
  questions = 0;

  private constructor(readonly socketPath: string) {
    this.#server = createServer((request, response) => this.#answer(request.url ?? '', response));
  }

  static async start(socketPath: string): Promise<FakeEngine> {
    const engine = new FakeEngine(socketPath);
    await new Promise<void>((resolve) => engine.#server.listen(socketPath, resolve));
    return engine;
  }

  /** A container appears, or its process is another now. */
  run(name: string, pid: number): string {
    const known = this.#containers.get(name);
    const container = known ?? { id: idOf(name), name, pid };
    container.pid = pid;
    this.#containers.set(name, container);
    this.#tell('start', container);
    return container.id;
  }

  stop(name: string): void {
    const container = this.#required(name);
    container.pid = 0;
    this.#tell('die', container);
  }

  rename(name: string, to: string): void {
    const container = this.#required(name);
    this.#containers.delete(name);
    this.#containers.set(to, container);
    container.name = to;
    this.#tell('rename', container);
  }

  remove(name: string): void {
    const container = this.#required(name);
    this.#containers.delete(name);
    this.#tell('destroy', container);
  }

  /** How many listen to its events. */
  get listeners(): number {
    return this.#listeners.size;
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.socketPath, { force: true });
  }

  #answer(url: string, response: ServerResponse): void {
    if (url.startsWith('/events')) {
      response.flushHeaders();
      this.#listeners.add(response);
      response.on('close', () => this.#listeners.delete(response));
      return;
    }
    this.questions += 1;
    const wanted = /^\/containers\/([^/]+)\/json$/.exec(url)?.[1] ?? '';
    const found = [...this.#containers.values()].find(
      ({ id, name }) => name === wanted || (wanted !== '' && id.startsWith(wanted)),
    );
    response.statusCode = found === undefined ? 404 : 200;
    response.end(JSON.stringify(found === undefined ? { message: 'No such container' } : inspected(found)));
  }

  #tell(action: string, { id, name }: Made): void {
    const event = {
      Type: 'container',
      Action: action,
      Actor: { ID: id, Attributes: { name } },
      scope: 'local',
    };
    const text = `${JSON.stringify(event)}\n`;
    // Events come in pieces of any size.
    for (const listener of this.#listeners) {
      listener.write(text.slice(0, 20));
      listener.write(text.slice(20));
    }
  }

  #required(name: string): Made {
    const found = this.#containers.get(name);
    if (found === undefined) throw new Error(`there is no container ${name}`);
    return found;
  }
}

/** As engines make them: 64 hexadecimal digits, which say nothing. */
function idOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}

function inspected({ id, name, pid }: Made): object {
  const config = { Hostname: id.slice(0, 12), Domainname: '', Image: 'busybox' };
  return {
    Id: id,
    Name: `/${name}`,
    State: { Status: pid === 0 ? 'exited' : 'running', Pid: pid },
    Config: config,
  };
}
