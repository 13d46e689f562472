/** Returns the parameter names of a path template, in order. */
export function pathParameters(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
}

/** Returns a path template in hono's syntax. */
export function routingPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}
