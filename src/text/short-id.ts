/** Digits of an id that container engines show. */
export const SHORT_ID = 12;

/** As much of the id of a container, a network or an endpoint as its engine shows. */
export function shortId(id: string): string {
  return id.slice(0, SHORT_ID);
}
