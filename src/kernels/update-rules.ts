// The update rules as arithmetic: what becomes of one number x, or of a vector of them, under its gradient g. The same
// operations in the same order as the optimizers' own loops, each rounded to float32, so that both give the same bits.

/** Where a rule's arithmetic happens: in four lanes at once, or in one number. */
export interface Arithmetic<T> {
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  sqrt(a: T): T;
  constant(value: number): T;
  /** Computes a value once, for several uses. */
  keep(a: T): T;
}

/** The numbers that change while a fit runs. */
export interface StepScales<T> {
  readonly rate: T;
  /** Adam's correction of the root: 1 / sqrt(1 - beta2^step). Its correction of the average is part of `rate`. */
  readonly rootScale: T;
}

/** What a rule leaves: the new x, and the new values of its slots in order. */
export interface Updated<T> {
  readonly x: T;
  readonly slots: readonly T[];
}

/** The rules that have an arithmetic here, with the constants of their optimizers' configurations. */
export type UpdateRule =
  | { readonly name: 'sgd'; readonly weightDecay: number }
  | { readonly name: 'momentum' | 'nesterov'; readonly momentum: number; readonly weightDecay: number }
  | {
      readonly name: 'adagrad';
      readonly per: 'element' | 'row';
      readonly epsilon: number;
      readonly weightDecay: number;
    }
  | { readonly name: 'adadelta'; readonly rho: number; readonly epsilon: number; readonly weightDecay: number }
  | {
      readonly name: 'rmsprop';
      readonly alpha: number;
      readonly epsilon: number;
      readonly momentum: number;
      readonly weightDecay: number;
    }
  | {
      readonly name: 'adam';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
    };

/** Whether a rule keeps one sum for a row: its steps on vectors are written by training/per-rating/step-wasm.ts, those on numbers are here. */
export function isPerRow(rule: UpdateRule): rule is UpdateRule & { readonly name: 'adagrad' } {
  return rule.name === 'adagrad' && rule.per === 'row';
}

/** The rate of a whole row, from the sum of its squares. */
export function rowRate<T>({ epsilon }: { readonly epsilon: number }, o: Arithmetic<T>, sum: T, rate: T): T {
  return o.div(rate, o.add(o.sqrt(sum), o.constant(epsilon)));
}

/** How many slots a rule keeps for each number, or for each row. */
export function slotsOf(rule: UpdateRule): number {
  switch (rule.name) {
    case 'sgd':
      return 0;
    case 'momentum':
    case 'nesterov':
    case 'adagrad':
      return 1;
    case 'rmsprop':
      return rule.momentum > 0 ? 2 : 1;
    case 'adadelta':
    case 'adam':
      return 2;
  }
}

/** One update. `gradient` is that of the loss and its penalty; weight decay is added here. */
export function applyRule<T>(
  rule: UpdateRule,
  o: Arithmetic<T>,
  x: T,
  gradient: T,
  slots: readonly T[],
  { rate, rootScale }: StepScales<T>,
): Updated<T> {
  const { weightDecay } = rule;
  const g = weightDecay === 0 ? gradient : o.keep(o.add(gradient, o.mul(o.constant(weightDecay), x)));
  const [first, second] = slots as [T, T];
  /** a * old + b * new. */
  const average = (a: number, old: T, b: number, ...news: readonly T[]) =>
    o.keep(
      o.add(
        o.mul(o.constant(a), old),
        news.reduce((product, next) => o.mul(product, next), o.constant(b)),
      ),
    );
  switch (rule.name) {
    case 'sgd':
      return { x: o.sub(x, o.mul(rate, g)), slots };
    case 'momentum': {
      const buffer = o.keep(o.add(o.mul(o.constant(rule.momentum), first), g));
      return { x: o.sub(x, o.mul(rate, buffer)), slots: [buffer] };
    }
    case 'nesterov': {
      const momentum = o.constant(rule.momentum);
      const buffer = o.keep(o.add(o.mul(momentum, first), g));
      return { x: o.sub(x, o.mul(rate, o.add(g, o.mul(momentum, buffer)))), slots: [buffer] };
    }
    case 'adagrad': {
      const sum = o.keep(o.add(first, o.mul(g, g)));
      if (rule.per === 'row') return { x: o.sub(x, o.mul(rowRate(rule, o, sum, rate), g)), slots: [sum] };
      return { x: o.sub(x, o.div(o.mul(rate, g), o.add(o.sqrt(sum), o.constant(rule.epsilon)))), slots: [sum] };
    }
    case 'adadelta': {
      const epsilon = o.constant(rule.epsilon);
      const square = average(rule.rho, first, 1 - rule.rho, g, g);
      const step = o.keep(o.mul(g, o.sqrt(o.div(o.add(second, epsilon), o.add(square, epsilon)))));
      return { x: o.sub(x, o.mul(rate, step)), slots: [square, average(rule.rho, second, 1 - rule.rho, step, step)] };
    }
    case 'rmsprop': {
      const square = average(rule.alpha, first, 1 - rule.alpha, g, g);
      const scaled = o.div(g, o.add(o.sqrt(square), o.constant(rule.epsilon)));
      if (rule.momentum === 0) return { x: o.sub(x, o.mul(rate, scaled)), slots: [square] };
      const buffer = o.keep(o.add(scaled, o.mul(o.constant(rule.momentum), second)));
      return { x: o.sub(x, o.mul(rate, buffer)), slots: [square, buffer] };
    }
    case 'adam': {
      const mean = average(rule.beta1, first, 1 - rule.beta1, g);
      const square = average(rule.beta2, second, 1 - rule.beta2, g, g);
      const root = o.add(o.mul(rootScale, o.sqrt(square)), o.constant(rule.epsilon));
      return { x: o.sub(x, o.div(o.mul(rate, mean), root)), slots: [mean, square] };
    }
  }
}
