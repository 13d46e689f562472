import type { Issue } from "../../src/domain/refusals.ts";
import type { Route } from "../../src/routes/http/create-handler.ts";
import { validate } from "../../src/routes/http/validation.ts";

/** Returns what is wrong with a request body, using the schema that the service validates with. */
export function validateBody(
  routes: readonly Route[],
  operationId: string,
  body: unknown,
): readonly Issue[] {
  const schema = routes.find(({ contract }) => contract.operationId === operationId)?.contract.body;
  if (!schema) throw new Error(`${operationId} takes no body`);
  const parsed = validate(schema, body);
  if (parsed.ok) return [];
  const { fault } = parsed;
  return fault.code === "validation_failed"
    ? fault.issues
    : [{ path: [], code: fault.code, message: "A list has more items than the service accepts." }];
}
