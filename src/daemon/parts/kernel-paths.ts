import { followKernelPaths, type KernelPaths } from '../kernel-paths/index.js';
import type { ControlPlane } from './control-plane.js';
import type { DataPlane } from './data-plane.js';
import type { Host } from './host.js';
import type { Materials } from './materials.js';

/** What the kernel may carry by itself; undefined: nothing. */
export function composeKernelPaths(
  { plan, mtu, log }: Materials,
  { mesh }: ControlPlane,
  { overlay, forwarder, networks }: DataPlane,
  { endpoints }: Host,
): KernelPaths | undefined {
  const { identity, settings } = plan;
  const { bridge, port, trustedSubnets, fastDatapath } = settings;
  if (!fastDatapath || trustedSubnets.length === 0) return undefined;
  const parts = { mesh, overlay, forwarder, networks, endpoints, log };
  return followKernelPaths({ self: identity.peer, bridge, port, mtu, ...parts });
}
