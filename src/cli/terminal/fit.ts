/** Between two columns of a table. */
export const GAP = 2;

/**
 * How wide the columns of a table may be, for it to fit into so many characters: the widest give way, but no word is broken. Undefined where it
 * fits as it is, or cannot.
 */
export function fittingWidths(rows: readonly (readonly string[])[], available: number): number[] | undefined {
  const widths = widest(rows, (cell) => cell.length);
  const least = widest(rows, (cell) => Math.max(...cell.split(' ').map((word) => word.length)));
  const total = (of: readonly number[]) => of.reduce((sum, width) => sum + width + GAP, -GAP);
  if (total(widths) <= available || total(least) > available) return undefined;
  while (total(widths) > available) {
    const room = widths.map((width, i) => (width > (least[i] ?? 0) ? width : 0));
    const most = room.indexOf(Math.max(...room));
    widths[most] = (widths[most] ?? 0) - 1;
  }
  return widths;
}

function widest(rows: readonly (readonly string[])[], measure: (cell: string) => number): number[] {
  const columns = Math.max(...rows.map((row) => row.length));
  return Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => measure(row[i] ?? ''))));
}
