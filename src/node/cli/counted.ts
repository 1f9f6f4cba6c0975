// A number with its noun: 1 rating, 2 ratings.

/** `count` and the noun, in the plural where there is not one of it. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
