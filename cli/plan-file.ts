import { readFile } from "node:fs/promises";
import type { ExecuteBulk } from "../client/index.ts";
import { UsageError } from "./exit-codes.ts";
import { asAction, asKind, asTarget } from "./names.ts";
import { writePrivate } from "./private-file.ts";

/** What a bulk change does to its tasks: it moves them to a target status, or it applies an action. */
export type Intent = Pick<ExecuteBulk, "targetStatus" | "action" | "changes" | "toKind">;

/** One bulk change: the tasks, and what to do to them. */
export interface Change extends Intent, Pick<ExecuteBulk, "taskIds" | "duplicateOf"> {
  runAttachedWorkflows: boolean;
}

/**
 * Saves a previewed change, so that exactly this change can be executed later.
 * @throws UsageError if the file cannot be written.
 */
export async function savePlan(path: string, plan: Change & { planToken: string }): Promise<void> {
  await writePrivate(path, `${JSON.stringify(plan, null, 2)}\n`);
}

/**
 * Reads a plan that `savePlan` wrote. The service checks that the token matches the change.
 * @throws UsageError if the file cannot be read or is not a plan.
 */
export async function readPlan(path: string): Promise<Change & { planToken: string }> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new UsageError(`Cannot read ${path}.`, { cause: error });
  });
  const plan = parsePlan(text);
  if (plan === null) throw new UsageError(`${path} is not a plan saved by bulk preview --save.`);
  return plan;
}

function parsePlan(text: string): (Change & { planToken: string }) | null {
  const plan = parseObject(text);
  const intent = plan && intentOf(plan);
  if (plan === null || intent === null) return null;
  const { taskIds, duplicateOf, runAttachedWorkflows, planToken } = plan;
  if (typeof runAttachedWorkflows !== "boolean" || typeof planToken !== "string") return null;
  if (!isTexts(taskIds) || !isTextOrAbsent(duplicateOf)) return null;
  return { ...intent, taskIds, duplicateOf, runAttachedWorkflows, planToken };
}

function intentOf(plan: Record<string, unknown>): Intent | null {
  const { targetStatus, action, changes = {}, toKind } = plan;
  if (typeof targetStatus === "string") return { targetStatus: asTarget(targetStatus) };
  if (typeof action !== "string" || !isObject(changes)) return null;
  // The service validates the action and its parameters.
  return {
    action: asAction(action),
    ...(action === "edit" && { changes }),
    ...(typeof toKind === "string" && { toKind: asKind(toKind) }),
  };
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

const isTextOrAbsent = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === "string";

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
