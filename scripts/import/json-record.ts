import { JSON_DEPTH_MAX, scanJson } from "../../src/routes/http/json-scan.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import type { Reading } from "./reading.ts";
import { positionAfter, type TextPosition } from "./text.ts";

/** Parses the text of one record, which begins at a position of its file. */
export function parseRecord(text: string, number: number, start: TextPosition): Reading {
  try {
    const value: unknown = JSON.parse(text);
    const issues = silentChanges(text);
    return { number, line: start.line, value, ...(issues.length > 0 && { issues }) };
  } catch (error) {
    const { offset, message } = locateFault(text, error);
    return { ...positionAfter(start, text.slice(0, offset)), fault: message };
  }
}

/** What JSON.parse accepts and does not keep, or what the service would not store as it was written. */
function silentChanges(text: string): Issue[] {
  const { tooDeep, duplicateKey, issues } = scanJson(text);
  if (tooDeep) {
    const message = `Objects and arrays stand inside each other more than ${JSON_DEPTH_MAX} deep.`;
    return [{ path: [], code: "json_too_deep", message }];
  }
  if (duplicateKey === null) return issues;
  const message = "The key stands twice in its object.";
  return [...issues, { path: duplicateKey, code: "duplicate_key", message }];
}

/** The engine says where most faults are, but not where a token is that it did not expect. */
function locateFault(text: string, error: unknown): { offset: number; message: string } {
  const told = error instanceof Error ? error.message : String(error);
  const position = /(?: in JSON)? at position (\d+) \([^)]*\)$/.exec(told);
  if (position !== null) {
    return { offset: Number(position[1]), message: told.slice(0, position.index) };
  }
  // The engine also quotes the text around the token, which may be long.
  const message = told.replace(/^(Unexpected token '.+?'), [^]*$/u, "$1");
  return { offset: isUnexpectedToken(text) ? unexpectedOffset(text) : text.length, message };
}

/** The shortest beginning of the text that already fails in the same way ends with the token. */
function unexpectedOffset(text: string): number {
  let [before, within] = [0, text.length];
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2);
    if (isUnexpectedToken(text.slice(0, middle))) within = middle;
    else before = middle;
  }
  return before;
}

function isUnexpectedToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return error instanceof Error && error.message.startsWith("Unexpected token");
  }
}
