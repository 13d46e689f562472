import type { Guard } from "./guard.ts";

/** Returns the text of a file without the guard. @throws if the guard's text does not occur exactly once. */
export function withoutGuard(source: string, { file, name, text, without }: Guard): string {
  const parts = source.split(text);
  if (parts.length === 2) return parts.join(without);
  throw new Error(`${name}: its text occurs ${parts.length - 1} times in ${file}, not once`);
}
