// Ids from the command line are text; a model that was trained in code may have numbers as ids.

/** The number that an id's text is the exact form of, or undefined: '7' is 7, '07' and '7.0' are only text. */
export function asNumberId(text: string): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) && String(value) === text ? value : undefined;
}
