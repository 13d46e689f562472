export type Cell = string | number | boolean | null;

/** The ways in which a CSV export can be written. */
export const CSV_DIALECTS = ["standard", "excel"] as const;
export type CsvDialect = (typeof CSV_DIALECTS)[number];

interface Notation {
  /** Written once, before the first line. */
  start: string;
  separator: string;
  decimalMark: string;
}

/**
 * Excel reads UTF-8 only after a byte order mark. Where it separates cells by semicolons, it reads a decimal point as
 * part of a date, so numbers have the decimal comma of the same locales.
 */
const NOTATIONS: Readonly<Record<CsvDialect, Notation>> = {
  standard: { start: "", separator: ",", decimalMark: "." },
  excel: { start: "\uFEFF", separator: ";", decimalMark: "," },
};

/** Returns what comes before the first line of a file in this dialect. */
export const csvStart = (dialect: CsvDialect): string => NOTATIONS[dialect].start;

/** Returns one line of CSV: RFC 4180, with the separator of the dialect. */
export function csvLine(cells: readonly Cell[], dialect: CsvDialect = "standard"): string {
  const notation = NOTATIONS[dialect];
  return `${cells.map((cell) => cellText(cell, notation)).join(notation.separator)}\r\n`;
}

function cellText(cell: Cell, { separator, decimalMark }: Notation): string {
  if (cell === null) return "";
  if (typeof cell === "number") return quoted(String(cell).replace(".", decimalMark), separator);
  if (typeof cell === "boolean") return String(cell);
  // A spreadsheet would run such text as a formula, so an apostrophe marks it as text. Some spreadsheets also accept
  // the full-width forms of these characters.
  return quoted(/^[=+\-@\t\r\n＝＋－＠]/.test(cell) ? `'${cell}` : cell, separator);
}

const quoted = (text: string, separator: string): string =>
  /["\r\n]/.test(text) || text.includes(separator) ? `"${text.replaceAll('"', '""')}"` : text;
