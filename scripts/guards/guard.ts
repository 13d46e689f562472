/** A condition of a statement that protects against a race or a repeat, and the test that fails without it. */
export interface Guard {
  /** Unique; `npm run guards -- NAME` removes only this one. */
  name: string;
  /** What could happen without it. */
  prevents: string;
  /** The file with the condition, from the root of the project. */
  file: string;
  /** The text of the condition. It occurs once in the file. */
  text: string;
  /** What replaces it when it is removed, so that the statement still runs. */
  without: string;
  /** The test file that fails without it, from the root of the project. */
  test: string;
  /** A part of the names of the tests that fail. Only these run. */
  fails: string;
}

/** A condition that can be removed without harm, because something else also prevents what it prevents. */
export interface SecondLine {
  /** What the condition is, in a few words. Unique. */
  condition: string;
  /** The file with the condition, from the root of the project. */
  file: string;
  /** The text of the condition. It occurs once in the file. */
  text: string;
  /** What comes first and prevents the same. A whole sentence. */
  because: string;
}
