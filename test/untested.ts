/** Says in one line what is not tested, and why this machine cannot. With `WEFT_REQUIRE_ALL=1`, as in `.ci/run`, it throws: there nothing is skipped. */
export function untested(what: string, reason: string): void {
  const text = `${what} is not tested, since this machine cannot: ${reason}`;
  if (process.env.WEFT_REQUIRE_ALL === '1') throw new Error(text);
  console.error(text);
}
