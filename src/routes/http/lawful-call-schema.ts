import * as z from "zod";

/** A call that the API would accept, as answers spell it. */
export const lawfulCall = z
  .object({
    method: z.enum(["PATCH", "POST"]),
    path: z.string(),
    body: z.record(z.string(), z.unknown()),
    needs: z
      .array(z.string())
      .readonly()
      .optional()
      .openapi({ description: "Members of the body that you have to fill in." }),
  })
  .openapi("LawfulCall");
