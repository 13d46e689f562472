import type { LawfulCommand, LawfulCommands } from "../../domain/refusals.ts";

/** A call that the API would accept now. */
export interface LawfulCall {
  method: "PATCH" | "POST";
  path: string;
  body: Record<string, unknown>;
  /** Members of the body that only the caller can supply. */
  needs?: readonly "reason"[];
}

/** Spells lawful commands as calls of the API. */
export function lawfulCalls({ taskId, stepId, commands }: LawfulCommands): LawfulCall[] {
  const paths = pathsOf(taskId, stepId);
  return commands.map((command) => ({
    ...callOf(command, paths),
    ...("needsReason" in command && command.needsReason && { needs: ["reason"] as const }),
  }));
}

/** Spells a command as a call of the API. */
export function callOf(
  command: LawfulCommand,
  { task, step }: ReturnType<typeof pathsOf>,
): Omit<LawfulCall, "needs"> {
  switch (command.type) {
    case "transition":
      return { method: "PATCH", path: step, body: { status: command.status } };
    case "gate":
      return { method: "PATCH", path: `${step}/gate`, body: { gate: command.gate } };
    case "advance":
      return { method: "POST", path: `${task}/advance`, body: {} };
    case "rework":
      return { method: "POST", path: `${task}/rework`, body: { toKind: command.toKind } };
    case "restore":
      return { method: "POST", path: `${task}/restore`, body: {} };
  }
}

export function pathsOf(taskId: string, stepId: string) {
  return { task: `/v1/tasks/${taskId}`, step: `/v1/steps/${stepId}` };
}
