import { MalformedFile } from "./text.ts";

/** Where the cells of a column go: a field of the task, a text of its content, or its metadata. */
type Column =
  | { to: "task"; name: "title" | "externalId" | "taxonomyCode" | "priority" | "assignee" }
  | { to: "content"; name: "brief" | "instructions" }
  | { to: "metadata"; name: string };

/** Columns by what people call them, in lower case and without blanks, hyphens and underscores. */
const KNOWN_COLUMNS: ReadonlyMap<string, Column> = new Map([
  ["title", { to: "task", name: "title" }],
  ["externalid", { to: "task", name: "externalId" }],
  ["id", { to: "task", name: "externalId" }],
  ["taxonomycode", { to: "task", name: "taxonomyCode" }],
  ["taxonomy", { to: "task", name: "taxonomyCode" }],
  ["priority", { to: "task", name: "priority" }],
  ["assignee", { to: "task", name: "assignee" }],
  ["brief", { to: "content", name: "brief" }],
  ["instructions", { to: "content", name: "instructions" }],
]);
const METADATA_PREFIX = /^metadata\./i;

/**
 * Reads a header. A column that no field is known for goes to the metadata, so that nothing is lost.
 * @throws MalformedFile where two columns mean the same, or none says what the task is.
 */
export function columnsOf(header: readonly string[], line: number): Column[] {
  const columns = header.map((text) => columnOf(text.trim()));
  const targets = columns.map(({ to, name }) => `${to}.${name}`);
  const twice = targets.findIndex((target, index) => targets.indexOf(target) !== index);
  if (twice !== -1) {
    const first = header[targets.indexOf(targets[twice] ?? "")];
    throw new MalformedFile(
      { line, column: null },
      `The columns "${first}" and "${header[twice]}" mean the same`,
    );
  }
  const says = columns.some(
    ({ name, to }) => to === "content" || (to === "task" && name === "title"),
  );
  if (!says) {
    throw new MalformedFile(
      { line, column: null },
      `The header names none of title, instructions and brief: ${header.join(", ")}`,
    );
  }
  return columns;
}

function columnOf(text: string): Column {
  const known = KNOWN_COLUMNS.get(text.toLowerCase().replaceAll(/[\s_-]/g, ""));
  return known ?? { to: "metadata", name: text.replace(METADATA_PREFIX, "") };
}

/** A row in the shape of the body that makes a task. Empty cells say nothing. */
export function rowValue(columns: readonly Column[], cells: readonly string[]) {
  const entries = columns.flatMap((column, index) => {
    const cell = cells[index] ?? "";
    return cell.trim() === "" ? [] : [{ ...column, cell }];
  });
  const fieldsOf = (wanted: Column["to"]): Record<string, unknown> =>
    Object.fromEntries(
      entries
        .filter(({ to }) => to === wanted)
        .map(({ name, cell }) => [name, wanted === "task" ? taskCell(name, cell) : cell]),
    );
  const metadata = fieldsOf("metadata");
  const content = { ...fieldsOf("content"), ...(isFilled(metadata) && { metadata }) };
  return { ...fieldsOf("task"), ...(isFilled(content) && { content }) };
}

const isFilled = (fields: object) => Object.keys(fields).length > 0;

/** The one field that is a number. What is none stays text, and the service says what is wrong with it. */
function taskCell(name: string, cell: string): string | number {
  const trimmed = cell.trim();
  return name === "priority" && /^-?\d{1,9}$/.test(trimmed) ? Number(trimmed) : trimmed;
}
