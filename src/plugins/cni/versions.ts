/** The versions of the CNI specification whose configurations and results are known here, oldest first. */
const VERSIONS = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;
export type CniVersion = (typeof VERSIONS)[number];

export function isVersion(text: string): text is CniVersion {
  return VERSIONS.some((version) => version === text);
}

export function isSince(version: CniVersion, first: CniVersion): boolean {
  return VERSIONS.indexOf(version) >= VERSIONS.indexOf(first);
}

/** Such as `0.3.0, 0.3.1`. */
export function versionsText(): string {
  return VERSIONS.join(', ');
}
