/** pass@k by definition: the share of all choices of k trials with at least one that passed, counted one by one. */
export function countedPassAtK(trials: readonly boolean[], k: number): number {
  let choices = 0;
  let passed = 0;
  for (let members = 0; members < 2 ** trials.length; members += 1) {
    const chosen = trials.filter((_, index) => ((members >> index) & 1) === 1);
    if (chosen.length !== k) continue;
    choices += 1;
    if (chosen.includes(true)) passed += 1;
  }
  return passed / choices;
}
