/** One key for the path to a peer on a network. */
export function keyOf(network: number, peer: string): string {
  return `${network} ${peer}`;
}
