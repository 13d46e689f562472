const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether the text is a UUID in the canonical format. Postgres would raise an error for other text. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
