import { extendZodWithOpenApi } from "@asteasolutions/zod-to-openapi";
import { ZodType } from "zod";

// Lets schemas bear what documents tell of them. The one class that is extended is handed over, not the whole of zod:
// nothing of that could be left out of the bundle then, its messages in fifty languages not either.
extendZodWithOpenApi({ ZodType } as Parameters<typeof extendZodWithOpenApi>[0]);
