/** Returns the parameter names of a path template, in order. */
export function pathParameters(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
}

/** A last parameter of this name takes the rest of the path, slashes included. */
const REST = "{path}";

/** Returns a path template in hono's syntax. */
export function routingPath(path: string): string {
  const named = path.replaceAll(/\{(\w+)\}/g, ":$1");
  return path.endsWith(REST) ? `${named}{[^]+}` : named;
}

/** Returns the regular expression of the paths of a template. */
export function pathPattern(path: string): RegExp {
  const literal = path.replaceAll(".", "\\.");
  const pattern = literal.endsWith(REST) ? `${literal.slice(0, -REST.length)}[^]+` : literal;
  return new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}
