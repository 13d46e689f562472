import { stringify } from "safe-stable-stringify";
import type * as z from "zod";
import type { TokenSigner } from "../../actions/call/signed-token.ts";
import type { Outcome } from "../../domain/refusals.ts";

/** What a cursor is signed for. A cursor is invalid for any other binding. */
export interface CursorBinding {
  tenantId: string;
  operationId: string;
  filter: unknown;
  sort: string;
}

/** Returns a signed cursor for a position in a list. */
export function encodeCursor(
  signer: TokenSigner,
  binding: CursorBinding,
  position: unknown,
): Promise<string> {
  const payload = new TextEncoder().encode(JSON.stringify(position));
  return signer.sign(purposeOf(binding), payload);
}

/** Returns the position of a cursor, or the refusal `invalid_cursor`. */
export async function decodeCursor<Schema extends z.ZodType>(
  signer: TokenSigner,
  binding: CursorBinding,
  cursor: string,
  schema: Schema,
): Promise<Outcome<z.output<Schema>>> {
  const payload = await signer.open(purposeOf(binding), cursor);
  if (payload === null) return invalidCursor();
  // A position that an older release signed may have another shape.
  const position = schema.safeParse(JSON.parse(new TextDecoder().decode(payload)));
  return position.success ? { ok: true, value: position.data } : invalidCursor();
}

function purposeOf({ tenantId, operationId, filter, sort }: CursorBinding): string {
  return `cursor:${stringify([tenantId, operationId, filter, sort])}`;
}

function invalidCursor(): Outcome<never> {
  const detail =
    "The cursor does not belong to this list with these filters. Start again without a cursor.";
  return { ok: false, refusal: { code: "invalid_cursor", detail } };
}
