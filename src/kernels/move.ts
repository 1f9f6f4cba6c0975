// How arrays change places while their holders keep them: a holder hands each of its arrays to a `Move` and keeps what it
// is given. Whether that lies in WebAssembly memory or anywhere else is no business of the holder.

/** What can be moved. */
export type Movable = Float32Array | Float64Array | Int32Array;

/** Gives the array that takes another's place, with the same numbers; the same one for the same array. */
export type Move = <T extends Movable>(array: T) => T;

/** Moves all arrays of some holders. May be called more than once, also by a Move that leaves them where they are. */
export type Movers = (move: Move) => void;

/** An array that several hold is moved once. */
export function once(move: Move): Move {
  const moved = new WeakMap<Movable, Movable>();
  return <T extends Movable>(array: T): T => {
    const before = moved.get(array);
    if (before !== undefined) return before as T;
    const now = move(array);
    moved.set(array, now);
    return now;
  };
}

/** Moves arrays to ordinary memory, each of its own. */
export function moveOut(movers: Movers): void {
  movers(once((array) => array.slice() as typeof array));
}
