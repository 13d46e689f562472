/** A part of a blob. */
export interface ByteRange {
  offset: number;
  length: number;
}
