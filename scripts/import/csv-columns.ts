import { MalformedFile } from "./text.ts";

/** Where the cells of a column go: to a field of the task, to a text of its content, or to its metadata. */
type Column =
  | { to: "task"; name: "title" | "externalId" | "taxonomyCode" | "priority" | "assignee" }
  | { to: "content"; name: "brief" | "instructions" }
  | { to: "metadata"; name: string };

/** Columns by the names that people use, in lower case and without spaces, hyphens and underscores. */
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
 * Returns the columns of a header. Unknown columns go to the metadata, so that nothing is lost.
 * @throws MalformedFile if two columns have the same meaning, or none has the title or the content of the task.
 */
export function columnsOf(header: readonly string[], line: number): Column[] {
  const columns = header.map((text) => columnOf(text.trim()));
  const targets = columns.map(({ to, name }) => `${to}.${name}`);
  const duplicate = targets.findIndex((target, index) => targets.indexOf(target) !== index);
  if (duplicate !== -1) {
    const first = header[targets.indexOf(targets[duplicate] ?? "")];
    throw new MalformedFile(
      { line, column: null },
      `The columns "${first}" and "${header[duplicate]}" have the same meaning`,
    );
  }
  const hasText = columns.some(
    ({ name, to }) => to === "content" || (to === "task" && name === "title"),
  );
  if (!hasText) {
    throw new MalformedFile(
      { line, column: null },
      `The header has none of title, instructions and brief: ${header.join(", ")}`,
    );
  }
  return columns;
}

function columnOf(text: string): Column {
  const known = KNOWN_COLUMNS.get(text.toLowerCase().replaceAll(/[\s_-]/g, ""));
  return known ?? { to: "metadata", name: text.replace(METADATA_PREFIX, "") };
}

/** Returns a row as the body of POST /v1/tasks. Empty cells are left out. */
export function rowValue(columns: readonly Column[], cells: readonly string[]) {
  const entries = columns.flatMap((column, index) => {
    const cell = cells[index] ?? "";
    return cell.trim() === "" ? [] : [{ ...column, cell }];
  });
  const fieldsOf = (target: Column["to"]): Record<string, unknown> =>
    Object.fromEntries(
      entries
        .filter(({ to }) => to === target)
        .map(({ name, cell }) => [name, target === "task" ? taskCell(name, cell) : cell]),
    );
  const metadata = fieldsOf("metadata");
  const content = { ...fieldsOf("content"), ...(isFilled(metadata) && { metadata }) };
  return { ...fieldsOf("task"), ...(isFilled(content) && { content }) };
}

const isFilled = (fields: object) => Object.keys(fields).length > 0;

/** Converts the priority to a number if it is one; otherwise it stays text, and the service reports the error. */
function taskCell(name: string, cell: string): string | number {
  const trimmed = cell.trim();
  return name === "priority" && /^-?\d{1,9}$/.test(trimmed) ? Number(trimmed) : trimmed;
}
