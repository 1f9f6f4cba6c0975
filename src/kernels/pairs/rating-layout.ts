// How the program finds the ratings: one after another, their rows as addresses.

/** The fields of a rating, in bytes: its rows as addresses. */
export const RATING = { left: 0, right: 4, target: 8, weight: 12 } as const;

/** The bytes of a rating. */
export function ratingBytes(isWeighted: boolean): number {
  return isWeighted ? 16 : 12;
}
