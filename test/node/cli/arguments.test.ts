// Words into flags and values; what is wrong is said in one line, with the close miss.

import { commandHelp, parseArguments, type Usage, UsageError } from '../../../src/node/cli/command';

const usage: Usage = {
  name: 'try',
  about: 'Tries things.',
  form: 'DATA [--rank N]',
  example: 'opmf try x --rank 3',
  flags: {
    rank: { value: 'N', about: 'a number' },
    seeds: { value: 'N', about: 'a number' },
    json: { about: 'a switch' },
    set: { value: 'NAME=VALUE', about: 'repeats', repeats: true },
  },
  positionals: [1, 2],
};

const parse = (...argv: string[]) => parseArguments(usage, argv);

describe('parseArguments', () => {
  test('reads positionals, switches, values in both forms, and repeated flags in order', () => {
    const given = parse('--rank', '3', 'data', '--json', '--set', 'a=1', '--set=b=2', '--seeds=1, 2');
    expect(given.positionals).toEqual(['data']);
    expect(given.has('json')).toBe(true);
    expect(given.count('rank')).toBe(3);
    expect(given.texts('set')).toEqual(['a=1', 'b=2']);
    expect(given.list('seeds')).toEqual(['1', '2']);
  });

  test('what is absent is undefined', () => {
    const given = parse('data');
    expect([given.has('json'), given.text('rank'), given.count('rank'), given.list('seeds')]).toEqual([
      false,
      undefined,
      undefined,
      undefined,
    ]);
    expect(given.texts('set')).toEqual([]);
  });

  test('words after -- are arguments whatever they look like, and a value may start with a dash', () => {
    expect(parse('--', '--rank').positionals).toEqual(['--rank']);
    expect(parse('x', '--rank', '-1').text('rank')).toBe('-1');
    expect(parse('x', '--rank=--json').text('rank')).toBe('--json');
  });

  test.each([
    [['x', '--sedes', '3'], "unknown flag '--sedes'; did you mean '--seeds'?"],
    [['x', '--frobnicate'], "unknown flag '--frobnicate'; flags: --rank, --seeds, --json, --set"],
    [['x', '-q'], 'unknown flag "-q"; flags have two dashes'],
    [
      ['x', '-57'],
      'unknown flag "-57"; flags have two dashes; write -- before arguments that begin with a dash: -- -57',
    ],
    [['x', '--constructor'], /^unknown flag '--constructor'/],
    [['x', '--rank'], '--rank needs a value: --rank N'],
    [['x', '--rank', '--json'], '--rank needs a value: --rank N'],
    [['x', '--json=yes'], '--json takes no value, got "yes"'],
    [['x', '--rank', '1', '--rank', '2'], '--rank is given twice'],
    [[], 'DATA is missing'],
    [['a', 'b', 'c'], 'unexpected argument "c"'],
  ])('%j is refused', (argv, message) => {
    expect(() => parse(...argv)).toThrow(UsageError);
    expect(() => parse(...argv)).toThrow(message);
  });

  test.each(['0', '-1', '1.5', 'x', '', ' ', 'NaN', 'Infinity', '1e300'])('--rank %j is no count', (value) => {
    const given = parse('x', `--rank=${value}`);
    expect(() => given.count('rank')).toThrow(/--rank is ".*"; want a whole number of at least 1/);
  });

  test('an empty place in a list is refused', () => {
    expect(() => parse('x', '--seeds', '1,,2').list('seeds')).toThrow(/want values with commas/);
  });
});

test('the help names the form, every flag and an example', () => {
  const help = commandHelp(usage);
  expect(help).toContain('usage: opmf try DATA [--rank N]');
  expect(help).toContain('opmf try x --rank 3');
  for (const flag of Object.keys(usage.flags)) expect(help).toContain(`--${flag}`);
});
