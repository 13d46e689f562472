import type { Issue } from "../../src/domain/refusals.ts";
import type { Route } from "../../src/routes/http/create-handler.ts";
import { validate } from "../../src/routes/http/validation.ts";

/** What is wrong with the body of a call, by the very schema that the service validates with. */
export function judgeBody(
  routes: readonly Route[],
  operationId: string,
  body: unknown,
): readonly Issue[] {
  const schema = routes.find(({ contract }) => contract.operationId === operationId)?.contract.body;
  if (!schema) throw new Error(`${operationId} takes a body`);
  const parsed = validate(schema, body);
  if (parsed.ok) return [];
  const { fault } = parsed;
  return fault.code === "validation_failed"
    ? fault.issues
    : [{ path: [], code: fault.code, message: "It holds more than the service takes." }];
}
