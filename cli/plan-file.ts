import { readFile } from "node:fs/promises";
import type { ExecuteBulk } from "../client/index.ts";
import { UsageFault } from "./exit-codes.ts";
import { asAction, asTarget } from "./names.ts";
import { writePrivate } from "./private-file.ts";

/** What is to become of many tasks: a target that they are brought to, or an action. */
export type Intent = Pick<ExecuteBulk, "targetStatus" | "action" | "changes">;

/** One bulk change: which tasks, and what is to become of them. */
export interface Change extends Intent, Pick<ExecuteBulk, "taskIds" | "duplicateOf"> {
  runAttachedWorkflows: boolean;
}

/**
 * Writes a previewed change down, so that this very change can be executed.
 * @throws UsageFault where nothing can be written.
 */
export async function savePlan(path: string, plan: Change & { planToken: string }): Promise<void> {
  await writePrivate(path, `${JSON.stringify(plan, null, 2)}\n`);
}

/**
 * Reads a plan that was written down. Whether the token belongs to the rest is for the service to say.
 * @throws UsageFault where it is no plan.
 */
export async function readPlan(path: string): Promise<Change & { planToken: string }> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new UsageFault(`${path} cannot be read.`, { cause: error });
  });
  const plan = parsePlan(text);
  if (plan === null) throw new UsageFault(`${path} is no plan that bulk preview --save wrote.`);
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

function intentOf({ targetStatus, action, changes = {} }: Record<string, unknown>): Intent | null {
  if (typeof targetStatus === "string") return { targetStatus: asTarget(targetStatus) };
  if (typeof action !== "string" || !isObject(changes)) return null;
  // What an action sets is the service's to judge, like its name.
  return { action: asAction(action), ...(action === "edit" && { changes }) };
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
