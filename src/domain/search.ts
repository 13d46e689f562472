/**
 * Scripts that are written without spaces and whose words can be two characters long: Chinese, Japanese (with kana) and
 * Korean. The database function has_cjk has the same ranges.
 */
const CJK =
  /[\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b\u3041-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f\uffa1-\uffdc\u{1aff0}-\u{1b16f}\u{20000}-\u{3ffff}]/u;

/** The least number of characters of a needle, and of one with a Chinese, Japanese or Korean character. */
export const NEEDLE_LENGTH_MIN = { any: 3, cjk: 2 } as const;

/** Whether an index can find the needle. Characters are counted in their composed form. */
export function isSearchable(needle: string): boolean {
  const composed = needle.normalize("NFC");
  const min = CJK.test(composed) ? NEEDLE_LENGTH_MIN.cjk : NEEDLE_LENGTH_MIN.any;
  return Array.from(composed).length >= min;
}
