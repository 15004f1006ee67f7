/** What the service manager of this host hears of the router that it started. */
import { describeEnding, execute } from '../../spawn/index.js';
import { ServiceManager } from './service-manager.js';

export type { Managed, ServiceManager } from './service-manager.js';

/** Of what `systemd-notify` may take and say; it takes 12 ms and says nothing. */
const LIMITS = { timeout: 10_000, longest: 4_096 };

/** The service manager that started this process, if one did. The environment keeps nothing of it. */
export function takeServiceManager(): ServiceManager | undefined {
  return ServiceManager.take(process.env, async (command, environment) => {
    const { ending, stderr } = await execute(command, { ...LIMITS, environment, input: '' });
    if (ending.kind !== 'exit' || ending.code !== 0)
      throw new Error(`${command[0]}: ${describeEnding(ending)} ${stderr.trim()}`.trim());
  });
}
