/** pass@k by definition: the share of all selections of k trials with at least one that passed, counted one by one. */
export function countedPassAtK(trials: readonly boolean[], k: number): number {
  let selections = 0;
  let passed = 0;
  for (let bits = 0; bits < 2 ** trials.length; bits += 1) {
    const selected = trials.filter((_, index) => ((bits >> index) & 1) === 1);
    if (selected.length !== k) continue;
    selections += 1;
    if (selected.includes(true)) passed += 1;
  }
  return passed / selections;
}
