/**
 * Repeats a batch until one comes back short, or as often as one invocation may.
 * @param limits `rows` is the size of a full batch; `batches` bounds the requests of one Worker invocation.
 * @param batch Processes up to `limits.rows` rows and returns how many there were.
 */
export async function inBatches(
  limits: { rows: number; batches: number },
  batch: () => Promise<number>,
): Promise<{ total: number; isMore: boolean }> {
  let total = 0;
  for (let done = 0; done < limits.batches; done += 1) {
    const rows = await batch();
    total += rows;
    if (rows < limits.rows) return { total, isMore: false };
  }
  return { total, isMore: true };
}
