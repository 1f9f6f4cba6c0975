// From what a caller writes (a name, a configuration, a rule of their own) to a rule that works, in JavaScript and in
// WebAssembly. The only place that lists the rules.

import { type Field, json, number, oneOf, plain, string, wrong } from '../core/options';
import { isPlain } from '../core/plain';
import type { UpdateRule } from '../kernels/update-rules';
import { Adadelta, adadeltaFields } from './adadelta';
import { Adagrad, adagradFields } from './adagrad';
import { Adam, adamFields } from './adam';
import { Ftrl, ftrlFields } from './ftrl';
import { isSchedule, type LearningRate, learningRate, readRule } from './learning-rate';
import { Momentum, momentumFields } from './momentum';
import { Nesterov, nesterovFields } from './nesterov';
import type { Optimizer, OptimizerConfig } from './optimizer';
import { Rmsprop, rmspropFields } from './rmsprop';
import { Sgd, sgdFields } from './sgd';

/**
 * The update rules that have a name; the name alone means the rule with its defaults.
 *
 * @example
 * ```ts
 * import { MF, type OptimizerName } from 'opmf';
 * const optimizer: OptimizerName = 'adagrad';
 * console.log(new MF({ optimizer }).options.optimizer.learningRate); // 0.05
 * ```
 */
export type OptimizerName = 'sgd' | 'momentum' | 'nesterov' | 'adagrad' | 'adadelta' | 'rmsprop' | 'adam' | 'ftrl';

interface Entry {
  readonly Rule: new (config: never) => Optimizer;
  readonly fields: Readonly<Record<string, Field<unknown>>>;
}

/** A rule is a file and a line here. */
const RULES: Readonly<Record<OptimizerName, Entry>> = {
  sgd: { Rule: Sgd, fields: sgdFields },
  momentum: { Rule: Momentum, fields: momentumFields },
  nesterov: { Rule: Nesterov, fields: nesterovFields },
  adagrad: { Rule: Adagrad, fields: adagradFields },
  adadelta: { Rule: Adadelta, fields: adadeltaFields },
  rmsprop: { Rule: Rmsprop, fields: rmspropFields },
  adam: { Rule: Adam, fields: adamFields },
  ftrl: { Rule: Ftrl, fields: ftrlFields },
};

/** The rule of a name. */
function make(name: OptimizerName, options: unknown, prefix: string): Optimizer {
  const { Rule, fields } = RULES[name];
  return new Rule(readRule(name, options, fields, prefix) as never);
}

/** Every name of a rule: those of the paper's tables in their order, then others. */
export const OPTIMIZER_NAMES: readonly OptimizerName[] = Object.freeze(Object.keys(RULES) as OptimizerName[]);

const known = oneOf(...OPTIMIZER_NAMES);
/** What an option that is an optimizer may be, in words. */
export const OPTIMIZER_WANTED = `a name (${OPTIMIZER_NAMES.join(', ')}), a configuration such as adam({ learningRate: .003 }), or an object with update, slots and config`;
const shape = oneOf('element', 'row', 'factor');
const initial = number();

/**
 * The working rule of a name, a configuration or an object that is a rule already.
 *
 * A configuration is checked as the factory of its name would check it, and filled in. An object with an `update`
 * function is used as it is, once its `config` and `slots` have been looked at.
 *
 * @throws OptionError naming `optimizer`, or the field at fault: `optimizer.beta1`, `optimizer.learningRate.bias`.
 */
export function resolveOptimizer(given: Optimizer | OptimizerConfig | OptimizerName): Optimizer {
  return resolve(given, 'optimizer');
}

/** The same of an option of another name. */
function resolve(value: unknown, option: string): Optimizer {
  if (typeof value === 'string') return make(known(value, option), {}, `${option}.`);
  if (isRule(value)) return checkRule(value, option);
  const { name, ...constants } = plain(value, option, OPTIMIZER_WANTED);
  return make(known(name, `${option}.name`), constants, `${option}.`);
}

/**
 * The same over the optimizer of a preset: a configuration with fields left out takes them from the preset where its name
 * is the preset's, or where it has none. What factories return has every field, and a name alone is the rule with its own
 * defaults: neither takes anything from the preset.
 */
export function resolveOver(
  given: Optimizer | OptimizerConfig | OptimizerName | Partial<OptimizerConfig> | undefined,
  preset: OptimizerConfig,
  option = 'optimizer',
): Optimizer {
  if (given === undefined) return resolve(preset, option);
  if (!isPlain(given) || isRule(given)) return resolve(given, option);
  const own = defined(plain(given, option, OPTIMIZER_WANTED));
  const isComplete = Object.keys(preset).every((key) => Object.hasOwn(own, key));
  if (isComplete || (own.name !== undefined && own.name !== preset.name)) return resolve(given, option);
  const rate = ratesOver(own.learningRate, preset.learningRate as LearningRate, option);
  return resolve({ ...preset, ...own, learningRate: rate }, option);
}

/** Merges a partial learning rate into a complete one. A number replaces all of it. */
function ratesOver(given: unknown, preset: LearningRate, option: string): unknown {
  if (given === undefined) return preset;
  if (!isPlain(given)) return given;
  const own = defined(plain(given, `${option}.learningRate`, 'rates by group, or a schedule'));
  if (!isSchedule(preset)) {
    const hasOwnCurve = own.schedule !== undefined;
    if (hasOwnCurve) return { ...own, rate: ratesOver(own.rate, preset, option) };
    return typeof preset === 'number' ? own : { ...preset, ...own };
  }
  if (own.schedule === 'warmup' && preset.schedule !== 'warmup')
    return { ...own, rate: ratesOver(own.rate, preset, option) };
  if (own.schedule !== undefined && own.schedule !== preset.schedule) {
    return { ...own, rate: ratesOver(own.rate, preset.rate, option) };
  }
  const isOfSchedule = Object.keys(own).some((key) => Object.hasOwn(preset, key));
  if (isOfSchedule) return { ...preset, ...own, rate: ratesOver(own.rate, preset.rate, option) };
  return { ...preset, rate: ratesOver(own, preset.rate, option) };
}

function defined(properties: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}

/** Whether what is given as an optimizer is a rule that works. */
export function isRule(value: unknown): value is Optimizer {
  return typeof value === 'object' && value !== null && 'update' in value && typeof value.update === 'function';
}

/** The rule of an optimizer as WebAssembly has it; null for a caller's own, and for what has no arithmetic there. */
export function updateRuleOf(optimizer: Optimizer): UpdateRule | null {
  const rules = [Sgd, Momentum, Nesterov, Adagrad, Adadelta, Rmsprop, Adam, Ftrl];
  if (!rules.some((rule) => optimizer instanceof rule)) return null;
  // A built-in rule's configuration has the constants of its name.
  return optimizer.config as unknown as UpdateRule;
}

function checkRule(rule: Optimizer, option: string): Optimizer {
  // Saved models and checkpoints contain it: a value that JSON cannot represent is an error before training, not after.
  const config = json(rule.config, `${option}.config`) as OptimizerConfig | null;
  if (!isPlain(config)) {
    throw wrong(`${option}.config`, config, "plain JSON with a name: { name: 'my-rule', learningRate: .01 }");
  }
  const name = string(config.name, `${option}.config.name`);
  // A saved model names its rule: under a name of ours it would go on with ours.
  if (
    OPTIMIZER_NAMES.some((known) => known === name) &&
    !Object.values(RULES).some(({ Rule }) => rule instanceof Rule)
  ) {
    throw wrong(`${option}.config.name`, name, "a name that is none of this library's");
  }
  if (config.learningRate !== undefined) learningRate(1)(config.learningRate, `${option}.config.learningRate`);
  const slots: unknown = rule.slots;
  if (!Array.isArray(slots)) {
    throw wrong(
      `${option}.slots`,
      slots,
      "an array of { name, shape: 'element' | 'row' | 'factor', initial? }, empty for a rule without memory",
    );
  }
  const names = new Set<string>();
  for (const [k, slot] of slots.entries()) {
    const at = `${option}.slots[${k}]`;
    const name = string(slot?.name, `${at}.name`);
    // Checkpoints keep a rule's memory by these names.
    if (names.has(name)) throw wrong(`${at}.name`, name, 'a name that no other slot has');
    names.add(name);
    shape(slot.shape, `${at}.shape`);
    if (slot.initial !== undefined) initial(slot.initial, `${at}.initial`);
  }
  return rule;
}
