/**
 * Returns pass@1 to pass@k: the probability that at least one of that many trials passes. Unbiased, from `n` scored
 * trials of which `c` passed: 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, "Evaluating Large Language Models Trained on
 * Code"). A product of factors between 0 and 1 gives the quotient, so nothing overflows. An entry is null if fewer trials
 * were scored.
 */
export function passAtEach(n: number, c: number, k: number): (number | null)[] {
  let allFail = 1;
  return Array.from({ length: k }, (_, drawn) => {
    if (drawn >= n) return null;
    allFail *= Math.max(0, n - c - drawn) / (n - drawn);
    return 1 - allFail;
  });
}
