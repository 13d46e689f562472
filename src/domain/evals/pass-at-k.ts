/**
 * pass@1 to pass@k: for each the chance that at least one of so many trials passes, without bias from `n` scored trials
 * of which `c` passed: 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, "Evaluating Large Language Models Trained on Code").
 * The quotient is a product of factors between 0 and 1, one more for each k, so that nothing overflows. null where
 * fewer trials were scored.
 */
export function passAtEach(n: number, c: number, k: number): (number | null)[] {
  let allFail = 1;
  return Array.from({ length: k }, (_, drawn) => {
    if (drawn >= n) return null;
    allFail *= Math.max(0, n - c - drawn) / (n - drawn);
    return 1 - allFail;
  });
}
