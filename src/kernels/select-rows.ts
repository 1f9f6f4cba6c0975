// The reference of the slots of the rows that a step names.

/** @see Kernels.selectRows */
export function selectRows(
  rows: Int32Array,
  count: number,
  slotOf: Int32Array,
  slot: Int32Array,
  slotRow: Int32Array,
  occurrences: Int32Array,
): number {
  let used = 0;
  for (let s = 0; s < count; s++) {
    const row = rows[s]!;
    let place = slotOf[row]!;
    if (place < 0) {
      place = used++;
      slotOf[row] = place;
      slotRow[place] = row;
      occurrences[place] = 0;
    }
    slot[s] = place;
    occurrences[place]!++;
  }
  for (let u = 0; u < used; u++) slotOf[slotRow[u]!] = -1;
  return used;
}
