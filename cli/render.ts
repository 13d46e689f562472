import type { Task, UnifiedStatus } from "../client/index.ts";
import type { Colour, Paint } from "./terminal.ts";

/** As one line of JSON, in which no control character is left to steer a terminal. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007F-\u009F]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Text of others, in which no control character is left to steer a terminal. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "�");
}

/** What a person calls a task. */
export const nameOf = ({ id, externalId }: Pick<Task, "id" | "externalId">): string =>
  externalId === null ? id : `ext:${plain(externalId)}`;

/** The columns of a list of tasks; fixed, so that a list of any length can be written as it comes. */
export function taskLine(task: Task, paint: Paint): string {
  const { unifiedStatus, currentStep, attention, title } = task;
  const step = `${currentStep.kind} ${currentStep.status}`;
  const needs = attention.length === 0 ? "" : `${paint("yellow", attention.join(","))} `;
  return [
    nameOf(task).padEnd(36),
    labelled(unifiedStatus, paint, 20),
    step.padEnd(32),
    `${needs}${plain(title)}`,
  ].join(" ");
}

/** One task, member by member. */
export function taskLines(task: Task, paint: Paint): string[] {
  const { currentStep, activeVersion, attention } = task;
  const rows: [string, string | null][] = [
    ["task", task.id],
    ["external id", task.externalId],
    ["title", task.title],
    ["status", labelled(task.unifiedStatus, paint)],
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
    ["archived", task.archivedAt],
  ];
  return memberLines(rows, paint);
}

/** A thing, member by member: those that it has, in columns. */
export function memberLines(
  members: readonly [name: string, value: string | null][],
  paint: Paint,
): string[] {
  return members.flatMap(([name, value]) =>
    // A status is ours, and has its colour.
    value === null
      ? []
      : `${paint("dim", name.padEnd(12))} ${name === "status" ? value : plain(value)}`,
  );
}

const COLOURS: Readonly<Record<UnifiedStatus, Colour | null>> = {
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

/** A label in its colour; a label that this version does not know keeps its words. */
export function labelled(label: UnifiedStatus, paint: Paint, width = 0): string {
  const colour = Object.hasOwn(COLOURS, label) ? COLOURS[label] : null;
  const text = label.padEnd(width);
  return colour === null ? text : paint(colour, text);
}
