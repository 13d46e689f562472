import { extendZodWithOpenApi } from "@asteasolutions/zod-to-openapi";
import { ZodType } from "zod";

// Adds `.openapi()` to zod's schemas. Only the one class that it extends is passed: passing all of zod would keep
// everything in the bundle, including the error messages in fifty languages.
extendZodWithOpenApi({ ZodType } as Parameters<typeof extendZodWithOpenApi>[0]);
