const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether Postgres would read this text as a UUID in its usual spelling. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
