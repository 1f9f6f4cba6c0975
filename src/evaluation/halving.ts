// Successive halving (Jamieson and Talwalkar, AISTATS 2016): many trials of few epochs; the best third goes on to three
// times as many, and so on to the epochs of a full fit.

/** A round: how many of the trials are in it, and how long each is trained. */
export interface Rung {
  readonly trials: number;
  readonly epochs: number;
}

/** Of each round the best part goes on, to as many times the epochs. */
const PART = 3;

/** The rounds for so many trials, the last of full length. One round where halving does not pay. */
export function halvingRungs(trials: number, epochs: number): Rung[] {
  let rounds = 1;
  for (let left = trials, least = epochs; left >= PART && least >= PART; rounds++) {
    left = Math.ceil(left / PART);
    least /= PART;
  }
  let left = trials;
  return Array.from({ length: rounds }, (_, round) => {
    const rung = { trials: left, epochs: Math.max(1, Math.round(epochs / PART ** (rounds - 1 - round))) };
    left = Math.ceil(left / PART);
    return rung;
  });
}
