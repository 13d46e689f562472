/** The names in a path's braces, in order. */
export function pathParameters(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
}

/** The path as hono routes it. */
export function routingPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}
