/** Colors text for a terminal. Colors are numbers of the 256-color palette. Null means that there is no color. */
export type Paint = ((text: string, foreground: number, background?: number) => string) | null;

/** A stream to print on. Only that of a terminal has `getColorDepth`. */
export interface PrintStream {
  isTTY?: boolean;
  getColorDepth?: () => number;
}

const BITS_OF_256_COLORS = 8;

/**
 * Returns how to color text on a stream. There is no color on a stream that is not a terminal, on a terminal with fewer
 * than 256 colors, or if NO_COLOR is set, which `getColorDepth` reads.
 */
export function paintOf(stream: PrintStream): Paint {
  const bits = stream.isTTY === true ? (stream.getColorDepth?.() ?? 1) : 1;
  return bits < BITS_OF_256_COLORS ? null : paint256;
}

function paint256(text: string, foreground: number, background?: number): string {
  const behind = background === undefined ? "" : `;48;5;${background}`;
  return `\u001B[38;5;${foreground}${behind}m${text}\u001B[0m`;
}
