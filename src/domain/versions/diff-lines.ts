/** A line of both texts, or only of one: `-` of the first, `+` of the second. */
export interface DiffLine {
  op: " " | "-" | "+";
  text: string;
}

/** A part in which two texts differ, with the lines around it. Line numbers start at 1. */
export interface Hunk {
  fromLine: number;
  toLine: number;
  lines: DiffLine[];
}

const CONTEXT_LINES = 3;
/** Texts that differ in more lines are treated as unrelated, because the search for shared lines would be expensive. */
const EDITS_MAX = 1000;

/**
 * Returns the differences between two texts, line by line; null if the texts have too little in common. Lines end only
 * at "\n", so that joining them restores the text byte for byte.
 */
export function diffText(from: string, to: string): Hunk[] | null {
  const lines = diffLines(from.split("\n"), to.split("\n"));
  return lines === null ? null : hunksOf(lines);
}

/** Returns the shortest edit from one list of lines to the other, with the shared lines; null if it is too long. */
function diffLines(from: readonly string[], to: readonly string[]): DiffLine[] | null {
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start += 1;
  let fromEnd = from.length;
  let toEnd = to.length;
  while (fromEnd > start && toEnd > start && from[fromEnd - 1] === to[toEnd - 1]) {
    fromEnd -= 1;
    toEnd -= 1;
  }
  const middle = shortestEdit(from.slice(start, fromEnd), to.slice(start, toEnd));
  if (middle === null) return null;
  const shared = (lines: readonly string[]) => lines.map((text): DiffLine => ({ op: " ", text }));
  return [...shared(from.slice(0, start)), ...middle, ...shared(from.slice(fromEnd))];
}

/**
 * Implements the greedy algorithm of Myers ("An O(ND) Difference Algorithm and Its Variations", 1986). For each number
 * of edits it records the furthest x on each diagonal x - y, and then walks back from the end through these records.
 */
function shortestEdit(from: readonly string[], to: readonly string[]): DiffLine[] | null {
  const editsMax = Math.min(from.length + to.length, EDITS_MAX);
  const reached = new Int32Array(2 * editsMax + 3);
  const middle = editsMax + 1;
  const at = (diagonal: number) => reached[middle + diagonal] ?? 0;
  const rounds: Int32Array[] = [];
  for (let edits = 0; edits <= editsMax; edits += 1) {
    rounds.push(reached.slice(middle - edits - 1, middle + edits + 2));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const isInsertion =
        diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
      let x = isInsertion ? at(diagonal + 1) : at(diagonal - 1) + 1;
      while (x < from.length && x - diagonal < to.length && from[x] === to[x - diagonal]) x += 1;
      reached[middle + diagonal] = x;
      if (x >= from.length && x - diagonal >= to.length) return walkBack(from, to, rounds);
    }
  }
  return null;
}

/** `rounds[edits]` holds the furthest x before that many edits, on the diagonals from -edits - 1 on. */
function walkBack(
  from: readonly string[],
  to: readonly string[],
  rounds: readonly Int32Array[],
): DiffLine[] {
  const reversed: DiffLine[] = [];
  let [x, y] = [from.length, to.length];
  for (const [edits, before] of [...rounds.entries()].toReversed()) {
    const at = (diagonal: number) => before[diagonal + edits + 1] ?? 0;
    const diagonal = x - y;
    const isInsertion =
      diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
    const beforeX = edits === 0 ? 0 : isInsertion ? at(diagonal + 1) : at(diagonal - 1);
    const beforeY = edits === 0 ? 0 : beforeX - (isInsertion ? diagonal + 1 : diagonal - 1);
    while (x > beforeX && y > beforeY) {
      x -= 1;
      y -= 1;
      reversed.push({ op: " ", text: from[x] ?? "" });
    }
    if (edits === 0) break;
    reversed.push(
      isInsertion ? { op: "+", text: to[beforeY] ?? "" } : { op: "-", text: from[beforeX] ?? "" },
    );
    [x, y] = [beforeX, beforeY];
  }
  return reversed.toReversed();
}

/** Returns the parts that differ, with CONTEXT_LINES lines around each. Parts whose context touches are merged. */
function hunksOf(lines: readonly DiffLine[]): Hunk[] {
  const shown = new Set<number>();
  for (const [index, { op }] of lines.entries()) {
    if (op === " ") continue;
    for (let near = index - CONTEXT_LINES; near <= index + CONTEXT_LINES; near += 1)
      shown.add(near);
  }
  const hunks: Hunk[] = [];
  let [fromLine, toLine] = [1, 1];
  for (const [index, line] of lines.entries()) {
    if (shown.has(index)) {
      if (index === 0 || !shown.has(index - 1)) hunks.push({ fromLine, toLine, lines: [] });
      hunks.at(-1)?.lines.push(line);
    }
    if (line.op !== "+") fromLine += 1;
    if (line.op !== "-") toLine += 1;
  }
  return hunks;
}
