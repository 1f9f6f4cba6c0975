// What the commands say where the data decided the loss.

/** Of a loss of orders that was chosen for values that are all equal. */
export function chosenText(loss: unknown): string {
  return `every value is the same, so that loss 'auto' is '${loss}': scores order items and are no ratings; --set loss=... says another`;
}
