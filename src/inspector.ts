/** Imported before anything else: at SIGUSR1 nothing happens, where Node would open its inspector. See node-flags.ts. */
process.on('SIGUSR1', () => {});
