/** Asks the router for something; undefined while it does not answer, or does not have it. */
export async function ask<T>(path: string): Promise<T | undefined> {
  try {
    const answer = await fetch(path);
    return answer.ok ? ((await answer.json()) as T) : undefined;
  } catch {
    return undefined; // that it is not reached, the page says already
  }
}
