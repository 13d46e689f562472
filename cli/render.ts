import type { Task, UnifiedStatus } from "../client/index.ts";
import type { Color, Paint } from "./terminal.ts";

/** Returns the value as one line of JSON. Control characters are escaped, so that they cannot steer a terminal. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007F-\u009F]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Returns untrusted text with every control character replaced, so that it cannot steer a terminal. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "�");
}

/** Returns the name of a task for people: `ext:` and its external id if it has one, else its id. */
export const nameOf = ({ id, externalId }: Pick<Task, "id" | "externalId">): string =>
  externalId === null ? id : `ext:${plain(externalId)}`;

/** Returns one line of a task list. The columns have fixed widths, so that a list can be written as it streams in. */
export function taskLine(task: Task, paint: Paint): string {
  const { unifiedStatus, currentStep, attention, title } = task;
  const step = `${currentStep.kind} ${currentStep.status}`;
  const flags = attention.length === 0 ? "" : `${paint("yellow", attention.join(","))} `;
  return [
    nameOf(task).padEnd(36),
    paintLabel(unifiedStatus, paint, 20),
    step.padEnd(32),
    `${flags}${plain(title)}`,
  ].join(" ");
}

/** Returns one task as name-and-value lines. */
export function taskLines(task: Task, paint: Paint): string[] {
  const { currentStep, activeVersion, attention } = task;
  const rows: [string, string | null][] = [
    ["task", task.id],
    ["external id", task.externalId],
    ["title", task.title],
    ["status", paintLabel(task.unifiedStatus, paint)],
    ["since", task.statusSince],
    ["attention", attention.length === 0 ? null : attention.join(", ")],
    ["step", `${currentStep.kind} ${currentStep.status}, attempt ${currentStep.attempt}`],
    ["step id", currentStep.id],
    ["gate", currentStep.gate],
    ["version", String(activeVersion.number)],
    ["taxonomy", task.taxonomyCode],
    ["priority", String(task.priority)],
    ["assignee", task.assignee],
    ["events", String(task.eventSeq)],
    ["duplicate of", task.duplicateOf],
    ["archived", task.archivedAt],
  ];
  return memberLines(rows, paint);
}

/** Returns name-and-value lines in two columns. Members without a value are left out. */
export function memberLines(
  members: readonly [name: string, value: string | null][],
  paint: Paint,
): string[] {
  return members.flatMap(([name, value]) =>
    // The status is painted and trusted; `plain` would strip its color.
    value === null
      ? []
      : `${paint("dim", name.padEnd(12))} ${name === "status" ? value : plain(value)}`,
  );
}

const COLORS: Readonly<Record<UnifiedStatus, Color | null>> = {
  DRAFT: null,
  CHECKING_QUALITY: "cyan",
  QUALITY_CHECK_FAILED: "red",
  READY_TO_SUBMIT: null,
  SUBMITTED: null,
  GENERATING_OUTPUT: "cyan",
  OUTPUT_FAILED: "red",
  IN_REVIEW: "cyan",
  CHANGES_REQUESTED: "yellow",
  PASSED: "green",
  DELIVERED: "green",
  REJECTED: "dim",
  DUPLICATE: "dim",
};

/** Returns the label in its color. A label that this version does not know is not colored. */
export function paintLabel(label: UnifiedStatus, paint: Paint, width = 0): string {
  const color = Object.hasOwn(COLORS, label) ? COLORS[label] : null;
  const text = label.padEnd(width);
  return color === null ? text : paint(color, text);
}
