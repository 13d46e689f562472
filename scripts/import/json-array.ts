import { parseRecord } from "./json-record.ts";
import { RECORD_LENGTH_MAX, type Reading } from "./reading.ts";
import { MalformedFile, positionAfter, readText, type TextPosition } from "./text.ts";

/** Reads the elements of a JSON array one by one. Line breaks may be anywhere. */
export async function* readJsonArray(path: string): AsyncGenerator<Reading> {
  let number = 0;
  for await (const { text, start } of splitArray(path)) {
    number += 1;
    const indent = text.length - text.trimStart().length;
    const position = positionAfter(start, text.slice(0, indent));
    yield parseRecord(text.slice(indent), number, position);
  }
}

/** The text of an element, and the position where it begins. */
interface Element {
  text: string;
  start: TextPosition;
}

/** Splits an array into elements, and leaves their grammar to JSON.parse. */
async function* splitArray(path: string): AsyncGenerator<Element> {
  const splitter = new ArraySplitter();
  for await (const chunk of readText(path)) yield* splitter.push(chunk);
  splitter.end();
}

class ArraySplitter {
  #state: "before" | "inside" | "after" = "before";
  #line = 1;
  #column = 1;
  #start: TextPosition = { line: 1, column: 1 };
  #element = "";
  #elements = 0;
  #depth = 0;
  #isString = false;
  #isEscaped = false;

  *push(chunk: string): Generator<Element> {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const character = chunk.charAt(at);
      if (this.#state !== "inside") {
        if (this.#opens(character)) from = at + 1;
      } else if (this.#endsElement(character)) {
        yield* this.#take(chunk.slice(from, at), character);
        from = at + 1;
      }
      if (character === "\n") {
        this.#line += 1;
        this.#column = 1;
      } else {
        this.#column += 1;
      }
      if (from === at + 1) this.#start = this.#position();
    }
    if (this.#state !== "inside") return;
    this.#element += chunk.slice(from);
    if (this.#element.length > RECORD_LENGTH_MAX) {
      throw new MalformedFile(this.#start, "The element that begins here is too long for a task");
    }
  }

  end(): void {
    if (this.#state === "after") return;
    const message =
      this.#state === "before"
        ? "The file has no JSON array"
        : "The file ends before the array does";
    throw new MalformedFile(this.#position(), message);
  }

  /**
   * Returns true if the array begins at this character.
   * @throws MalformedFile if there is anything but white space around the array.
   */
  #opens(character: string): boolean {
    if (/\s/.test(character)) return false;
    if (this.#state === "after") {
      throw new MalformedFile(this.#position(), "There is text after the end of the array");
    }
    if (character !== "[") {
      throw new MalformedFile(this.#position(), "A JSON array must begin with [");
    }
    this.#state = "inside";
    return true;
  }

  /** Returns true at a comma or bracket that is not inside a string, object or array of the element. */
  #endsElement(character: string): boolean {
    if (this.#isString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (character === "\\") this.#isEscaped = true;
      else if (character === '"') this.#isString = false;
      return false;
    }
    if (character === '"') this.#isString = true;
    else if (character === "[" || character === "{") this.#depth += 1;
    else if (this.#depth === 0) return character === "," || character === "]";
    else if (character === "]" || character === "}") this.#depth -= 1;
    return false;
  }

  *#take(end: string, delimiter: string): Generator<Element> {
    const text = this.#element + end;
    const isEmptyArray = delimiter === "]" && this.#elements === 0 && text.trim() === "";
    if (delimiter === "]") this.#state = "after";
    this.#element = "";
    this.#elements += 1;
    if (isEmptyArray) return;
    if (text.trim() === "") throw new MalformedFile(this.#position(), "An element is missing here");
    yield { text, start: this.#start };
  }

  #position(): TextPosition {
    return { line: this.#line, column: this.#column };
  }
}
