const LONGEST = 300;

/** What somebody else wrote, as it may be put into a line of log. */
export function loggable(text: string): string {
  return text.slice(0, LONGEST).replace(/[^\x20-\x7e]/g, '?');
}
