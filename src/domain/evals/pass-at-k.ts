/**
 * The chance that at least one of `k` trials passes, without bias from `n` scored trials of which `c` passed:
 * 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, "Evaluating Large Language Models Trained on Code"). The quotient is
 * a product of k factors between 0 and 1, so that nothing overflows. null where fewer than `k` were scored.
 */
export function passAtK(n: number, c: number, k: number): number | null {
  if (n < k) return null;
  if (n - c < k) return 1;
  let allFail = 1;
  for (let drawn = 0; drawn < k; drawn += 1) allFail *= (n - c - drawn) / (n - drawn);
  return 1 - allFail;
}
