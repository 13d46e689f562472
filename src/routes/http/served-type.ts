import { essenceOf } from "../../domain/data/content-type.ts";

/** Types that no browser executes, applies as a style or interprets, however a page refers to them. */
const INERT =
  /^(text\/(plain|csv|markdown|tab-separated-values)|application\/(json|jsonl|x-ndjson|pdf|zip|gzip|zstd|x-tar|octet-stream|parquet|vnd\.apache\.(parquet|arrow\.(file|stream)))|image\/(png|jpeg|gif|webp|avif)|(audio|video)\/[\w.+-]+)$/;

const ANY_BYTES = "application/octet-stream";

/**
 * Returns the type with which a blob is served: the declared type if it is inert, otherwise application/octet-stream. A
 * page of this origin must never be able to load an uploaded script.
 */
export function servedContentType(declared: string): string {
  return INERT.test(essenceOf(declared)) ? declared : ANY_BYTES;
}
