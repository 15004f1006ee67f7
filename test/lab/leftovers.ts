/** What a test began and must not outlast it, whatever becomes of the test: processes, outages. */
type Undo = () => Promise<unknown>;

const standing = new Set<Undo>();

/** Notes how to undo what begins now. Call the result when that is done, or not needed any more. */
export function begun(undo: Undo): () => void {
  standing.add(undo);
  return () => {
    standing.delete(undo);
  };
}

/** Undoes what began since this was called, the last first. */
export function leftoversFromNow(): () => Promise<void> {
  const before = new Set(standing);
  return async () => {
    const since = [...standing].filter((undo) => !before.has(undo)).reverse();
    for (const undo of since) await undo();
  };
}
