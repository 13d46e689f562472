/** Types that no browser runs, styles with or interprets, wherever a page may name them. */
const INERT =
  /^(text\/(plain|csv|markdown|tab-separated-values)|application\/(json|jsonl|x-ndjson|pdf|zip|gzip|zstd|x-tar|octet-stream|parquet|vnd\.apache\.(parquet|arrow\.(file|stream)))|image\/(png|jpeg|gif|webp|avif)|(audio|video)\/[\w.+-]+)$/;

const ANY_BYTES = "application/octet-stream";

/**
 * The type under which a blob is handed out. It is the declared one only where that is inert: a script that somebody
 * uploaded must never be one that a page of this origin can load.
 */
export function servedContentType(declared: string): string {
  return INERT.test(essenceOf(declared)) ? declared : ANY_BYTES;
}

/** Whether two content types name the same type, whatever their parameters. */
export function isSameType(one: string, other: string): boolean {
  return essenceOf(one) === essenceOf(other);
}

function essenceOf(contentType: string): string {
  const [essence = ""] = contentType.split(";");
  return essence.trim().toLowerCase();
}
