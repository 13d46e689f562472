import type { Issue } from "../../domain/refusals.ts";

export const JSON_DEPTH_MAX = 32;
/** Limits the size of the response to a hostile body. */
const ISSUES_MAX = 50;
/** Up to this many keys, a linear search is faster than a Set. */
const KEYS_COMPARED_MAX = 12;
/** Numbers without an exponent are exact up to this length, including the sign. */
const EXACT_NUMBER_LENGTH = 15;
const SHORTEST_INEXACT = "1e999".length;

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_E = 0x45;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_E = 0x65;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export interface JsonScan {
  tooDeep: boolean;
  /** The path of the first key that its object has twice. */
  duplicateKey: Issue["path"] | null;
  /** Text that Postgres rejects or changes, and numbers that JavaScript changes. */
  issues: Issue[];
}

/** An open object or array. Reused for the next one at the same depth. */
class Container {
  isObject = false;
  expectsKey = false;
  key: string | number = 0;
  #few: string[] = [];
  #many: Set<string> | null = null;

  open(isObject: boolean): void {
    this.isObject = isObject;
    this.expectsKey = isObject;
    this.key = isObject ? "" : 0;
    this.#few.length = 0;
    this.#many = null;
  }

  /** Adds a key. Returns false if the object already has it. */
  enter(key: string): boolean {
    this.key = key;
    this.expectsKey = false;
    if (this.#many !== null) {
      if (this.#many.has(key)) return false;
      this.#many.add(key);
      return true;
    }
    if (this.#few.includes(key)) return false;
    if (this.#few.push(key) > KEYS_COMPARED_MAX) this.#many = new Set(this.#few);
    return true;
  }

  next(): void {
    if (this.isObject) this.expectsKey = true;
    else this.key = Number(this.key) + 1;
  }
}

/**
 * Finds in one linear pass what JSON.parse accepts silently: deep nesting, duplicate keys, and text and numbers that
 * would change. JSON.parse checks the grammar: for malformed text this returns an arbitrary result, but never throws.
 * The text must come from UTF-8 decoded with `fatal`.
 */
export function scanJson(text: string): JsonScan {
  const scan: JsonScan = { tooDeep: false, duplicateKey: null, issues: [] };
  const containers: Container[] = [];
  let depth = 0;
  let innermost: Container | null = null;
  let nextBackslash = -1;
  let position = 0;

  const path = (): Issue["path"] => containers.slice(0, depth).map(({ key }) => key);
  const report = (code: string, message: string): void => {
    if (scan.issues.length < ISSUES_MAX) scan.issues.push({ path: path(), code, message });
  };

  while (position < text.length) {
    const code = text.charCodeAt(position);
    if (code === QUOTE) {
      if (nextBackslash < position) {
        const found = text.indexOf("\\", position);
        nextBackslash = found === -1 ? text.length : found;
      }
      const end = endOfString(text, position);
      if (end === -1) return scan;
      const escaped = nextBackslash < end;
      const keyed = innermost?.expectsKey === true ? innermost : null;
      if (escaped || keyed !== null) {
        const value = escaped ? decoded(text, position, end) : text.slice(position + 1, end);
        if (value === null) return scan;
        if (keyed?.enter(value) === false) scan.duplicateKey ??= path();
        if (escaped && !isStorable(value)) {
          report("invalid_text", "Text must not contain NUL or an unpaired surrogate.");
        }
      }
      position = end + 1;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (depth === JSON_DEPTH_MAX) {
        scan.tooDeep = true;
        return scan;
      }
      innermost = containers[depth] ??= new Container();
      innermost.open(code === OPEN_BRACE);
      depth += 1;
      position += 1;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth = Math.max(0, depth - 1);
      innermost = depth === 0 ? null : (containers[depth - 1] ?? null);
      position += 1;
    } else if (code === COMMA) {
      innermost?.next();
      position += 1;
    } else if (code === MINUS || isDigit(code)) {
      const end = endOfNumber(text, position);
      if (!isExact(text, position, end)) {
        report("number_out_of_range", "The number cannot be represented exactly.");
      }
      position = end;
    } else {
      position += 1;
    }
  }
  return scan;
}

/** Returns the index of the closing quote of the string that starts at `start`, or -1 without one. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, quote: number): boolean {
  let first = quote;
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (quote - first) % 2 === 1;
}

function decoded(text: string, start: number, end: number): string | null {
  try {
    return String(JSON.parse(text.slice(start, end + 1)));
  } catch {
    return null;
  }
}

/**
 * Returns whether Postgres can store the text unchanged. Postgres rejects NUL, and an encoder to UTF-8 silently replaces
 * an unpaired surrogate.
 */
export function isStorable(value: string): boolean {
  return !value.includes("\0") && value.isWellFormed();
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  for (let code = text.charCodeAt(end); isDigit(code) || isNumberPart(code);) {
    end += 1;
    code = text.charCodeAt(end);
  }
  return end;
}

function isNumberPart(code: number): boolean {
  return code === POINT || code === LOWER_E || code === UPPER_E || code === MINUS || code === PLUS;
}

/**
 * Whether the number comes back equal. Fractions may round as every double does. An integer, however it is written, must
 * be one that a double holds exactly, or the one that JavaScript prints for the double: so every number of an answer can
 * be sent back. No number may overflow to infinity or underflow to zero.
 */
function isExact(text: string, start: number, end: number): boolean {
  const length = end - start;
  // No shorter literal is out of the range of a double.
  if (length < SHORTEST_INEXACT) return true;
  const literal = text.slice(start, end);
  const [mantissa = "", exponent] = literal.split(/e/i);
  if (exponent === undefined && length <= EXACT_NUMBER_LENGTH) return true;
  const value = Number(literal);
  if (!Number.isFinite(value)) return false;
  if (value === 0) return !/[1-9]/.test(mantissa);
  const given = decimalOf(literal);
  if (given.exponent < 0 || Number.isSafeInteger(value)) return true;
  return (
    isSame(given, decimalOf(String(value))) || isSame(given, decimalOf(BigInt(value).toString()))
  );
}

/** A number as decimal digits without zeros at either end, times a power of ten. The sign is left out. */
interface Decimal {
  digits: string;
  exponent: number;
}

function decimalOf(literal: string): Decimal {
  const [mantissa = "", exponent = "0"] = literal.replace(/^-/, "").split(/e/i);
  const [integer = "", fraction = ""] = mantissa.split(".");
  const digits = integer + fraction;
  // Loops, because a pattern for zeros at the end takes quadratic time.
  let first = 0;
  while (digits.charCodeAt(first) === ZERO) first += 1;
  let end = digits.length;
  while (end > first && digits.charCodeAt(end - 1) === ZERO) end -= 1;
  return {
    digits: digits.slice(first, end),
    exponent: Number(exponent) - fraction.length + digits.length - end,
  };
}

function isSame(one: Decimal, other: Decimal): boolean {
  return one.digits === other.digits && one.exponent === other.exponent;
}
