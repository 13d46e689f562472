/** What a cell can hold. */
export type Cell = string | number | boolean | null;

/** One line of CSV as RFC 4180 has it. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(cellText).join(",")}\r\n`;
}

function cellText(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell !== "string") return String(cell);
  // A spreadsheet takes such text for a formula and would run it; after an apostrophe it stays text. Some
  // spreadsheets read the wide characters of East Asian keyboards as the plain ones.
  const text = /^[=+\-@\t\r\n＝＋－＠]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
