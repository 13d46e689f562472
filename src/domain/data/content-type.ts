/** Returns true if two content types are equal, ignoring their parameters. */
export function isSameType(one: string, other: string): boolean {
  return essenceOf(one) === essenceOf(other);
}

/** Returns a content type without its parameters, in lower case. */
export function essenceOf(contentType: string): string {
  const [essence = ""] = contentType.split(";");
  return essence.trim().toLowerCase();
}
