import { JSON_DEPTH_MAX, scanJson } from "../../src/routes/http/json-scan.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import type { Reading } from "./reading.ts";
import { positionAfter, type TextPosition } from "./text.ts";

/** Parses the text of one record that begins at `start` in its file. */
export function parseRecord(text: string, number: number, start: TextPosition): Reading {
  try {
    const value: unknown = JSON.parse(text);
    const issues = silentChangesIn(text);
    return { number, line: start.line, value, ...(issues.length > 0 && { issues }) };
  } catch (error) {
    const { offset, message } = locateFault(text, error);
    return { ...positionAfter(start, text.slice(0, offset)), fault: message };
  }
}

/** Returns what JSON.parse would drop or change silently, and what the service would not store as written. */
function silentChangesIn(text: string): Issue[] {
  const { tooDeep, duplicateKey, issues } = scanJson(text);
  if (tooDeep) {
    const message = `Objects and arrays are nested more than ${JSON_DEPTH_MAX} levels deep.`;
    return [{ path: [], code: "json_too_deep", message }];
  }
  if (duplicateKey === null) return issues;
  const message = "The key occurs twice in its object.";
  return [...issues, { path: duplicateKey, code: "duplicate_key", message }];
}

/** Returns the offset of a syntax error. V8 reports it for most errors, but not for an unexpected token. */
function locateFault(text: string, error: unknown): { offset: number; message: string } {
  const original = error instanceof Error ? error.message : String(error);
  const position = /(?: in JSON)? at position (\d+) \([^)]*\)$/.exec(original);
  if (position !== null) {
    return { offset: Number(position[1]), message: original.slice(0, position.index) };
  }
  // V8 also quotes the text around the token, which may be long.
  const message = original.replace(/^(Unexpected token '.+?'), [^]*$/u, "$1");
  return { offset: isUnexpectedToken(text) ? unexpectedOffset(text) : text.length, message };
}

/** Finds the token by binary search: the shortest prefix that fails in the same way ends with it. */
function unexpectedOffset(text: string): number {
  let [valid, failing] = [0, text.length];
  while (failing - valid > 1) {
    const middle = Math.floor((valid + failing) / 2);
    if (isUnexpectedToken(text.slice(0, middle))) failing = middle;
    else valid = middle;
  }
  return valid;
}

function isUnexpectedToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return error instanceof Error && error.message.startsWith("Unexpected token");
  }
}
