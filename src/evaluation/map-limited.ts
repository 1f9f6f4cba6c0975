// Several tasks under way at once, no more than a limit, results in the order of the inputs.

/** Maps the inputs by `task`, at most `limit` at a time, started in order. The first failure is thrown, and no more start. */
export async function mapLimited<I, O>(
  inputs: readonly I[],
  limit: number,
  task: (input: I) => Promise<O>,
): Promise<O[]> {
  const results: O[] = new Array(inputs.length);
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (next < inputs.length && !failed) {
      const at = next++;
      try {
        results[at] = await task(inputs[at]!);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, inputs.length) }, lane));
  return results;
}
