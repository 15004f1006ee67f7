/** Finds out once for all tests with a Docker engine whether one can run here. With `WEFT_REQUIRE_DOCKER=1` none of them may be skipped. */
import type { TestProject } from 'vitest/node';
import { attempt, DockerEngine } from '../lab/index.js';

declare module 'vitest' {
  export interface ProvidedContext {
    engineIsMissing: boolean;
    composeIsMissing: boolean;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  const noEngine = await DockerEngine.reasonAgainst();
  const noCompose = noEngine ?? (await reasonAgainstCompose());
  const reason = noEngine ?? noCompose;
  if (reason !== undefined) {
    const what = noEngine === undefined ? 'Docker Compose' : "what Docker's containers do";
    const text = `${what} is not tested, since it does not run here: ${reason}`;
    if (process.env.WEFT_REQUIRE_DOCKER === '1') throw new Error(text);
    console.error(text);
  }
  project.provide('engineIsMissing', noEngine !== undefined);
  project.provide('composeIsMissing', noCompose !== undefined);
}

async function reasonAgainstCompose(): Promise<string | undefined> {
  try {
    const { code, stderr } = await attempt(['docker-compose', 'version']);
    return code === 0 ? undefined : stderr.split('\n')[0];
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
