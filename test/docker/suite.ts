import { inject } from 'vitest';

/** True where no Docker engine can run: what needs one is skipped (`describe.skipIf`). */
export const withoutEngine = inject('engineIsMissing');
/** True where Docker Compose cannot run, either. */
export const withoutCompose = inject('composeIsMissing');
