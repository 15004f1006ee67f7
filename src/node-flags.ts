/**
 * Flags of Node.js for every process of weft that runs it; bin/weft has the same.
 *
 * SIGUSR1 has Node open its inspector on the loopback, where any user of the host may take over the process, which is root's. That cannot be switched
 * off before Node.js 22.14, but be kept from working: a link-local address without its interface can be bound by nobody. A handler of our own
 * takes the signal as soon as there is one (inspector.ts); until then, this holds.
 */
export const INSPECTOR_FLAGS: readonly string[] = ['--inspect-port=[fe80::1]:1024'];

/** A router makes little garbage: a small young generation keeps its memory low. */
export const ROUTER_FLAGS: readonly string[] = ['--max-semi-space-size=2', ...INSPECTOR_FLAGS];
