/** Finds out once for all tests with a Docker engine whether one can run here. */
import type { TestProject } from 'vitest/node';
import { attempt, DockerEngine } from '../lab/index.js';
import { untested } from '../untested.js';

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
    untested(what, reason);
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
