import { readFile } from "node:fs/promises";
import type { BulkTarget } from "../client/index.ts";
import { UsageFault } from "./exit-codes.ts";
import { asTarget } from "./names.ts";
import { writePrivate } from "./private-file.ts";

/** One bulk change: which tasks are to become what. */
export interface Change {
  targetStatus: BulkTarget;
  taskIds: readonly string[];
  duplicateOf?: string | undefined;
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
  if (plan === null) return null;
  const { targetStatus, taskIds, duplicateOf, runAttachedWorkflows, planToken } = plan;
  if (typeof targetStatus !== "string" || typeof planToken !== "string") return null;
  if (typeof runAttachedWorkflows !== "boolean" || !isTexts(taskIds)) return null;
  if (duplicateOf !== undefined && typeof duplicateOf !== "string") return null;
  const target = asTarget(targetStatus);
  return { targetStatus: target, taskIds, duplicateOf, runAttachedWorkflows, planToken };
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
