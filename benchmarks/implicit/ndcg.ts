// NDCG@k with binary gains: the mean over users of the discounted gains of their list, as a part of the best possible.

/** The NDCG of one list against what is relevant. */
export function ndcg<T>(list: readonly T[], relevant: ReadonlySet<T>, k: number): number {
  let gained = 0;
  let ideal = 0;
  for (let place = 0; place < k; place++) {
    const discount = 1 / Math.log2(place + 2);
    if (place < list.length && relevant.has(list[place]!)) gained += discount;
    if (place < relevant.size) ideal += discount;
  }
  return gained / ideal;
}
