const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether the text is a UUID in the canonical format. Other text can be an error in Postgres. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
