// Mutation testing by sample: for each room some mutants, drawn by a seed, each in a copy of the checkout against the tests
// that are to notice. The mutators are Stryker's (arithmetic, equality, conditional, logical, boolean, update, unary,
// min/max, block) over the TypeScript tree. `node benchmarks/mutation/main.mjs [ROOM...] [--sample N] [--seed N]`; the room
// `named` is the mutants of named.json. Rooms that are not asked for keep what the results say of them.
//
// Left out, as no result can show them: messages of errors, giving way to the event loop, capacities of buffers (`reserve`,
// `room`), `move` of arrays to WebAssembly memory, and what is equal for every input (equivalent.json).

import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** By room: its sources (`file.ts#Class`: that class alone), the quick tests that are to notice, and the ones that are asked before a mutant is said to survive. */
const ROOMS = {
  optimizers: [
    ['src/optimizers'],
    ['test/optimizers'],
    ['test/recommenders/partial-options', 'test/training/start-training', 'test/recommenders/option-bounds'],
  ],
  losses: [
    ['src/training/losses.ts'],
    ['test/training/losses', 'test/training/ranking-losses'],
    [
      'test/recommenders/orders',
      'test/recommenders/features/orders',
      'test/training/fit.test',
      'test/training/start-training',
      'test/recommenders/auto-loss',
      'test/models/mf',
    ],
  ],
  metrics: [['src/metrics'], ['test/metrics', 'test/evaluation/scores'], ['test/evaluation/e', 'test/evaluation/ties']],
  penalties: [
    ['src/parameters/parameter.ts#Penalty'],
    ['test/parameters'],
    ['test/training/heap', 'test/recommenders/dense-regularization', 'test/models', 'test/recommenders/option-bounds'],
  ],
  'fold-in': [
    ['src/serving/fold-in'],
    ['test/serving/fold-in', 'test/recommenders/fold-in', 'test/recommenders/als-fold-in'],
    [
      'test/recommenders/partial-fit',
      'test/recommenders/als.test',
      'test/recommenders/weights',
      'test/recommenders/svdpp',
      'test/recommenders/nmf',
      'test/recommenders/contract',
    ],
  ],
  negatives: [
    ['src/training/negatives.ts', 'src/training/candidate-batches.ts'],
    ['test/training/negatives', 'test/recommenders/orders', 'test/recommenders/every-item'],
    ['test/training/fit.test', 'test/recommenders/ranked', 'test/recommenders/factorization.test'],
  ],
  splits: [
    ['src/data/splits.ts', 'src/data/csr.ts'],
    ['test/data/splitters', 'test/data/csr'],
    ['test/data', 'test/evaluation/evaluate', 'test/evaluation/family'],
  ],
  parameters: [
    ['src/parameters'],
    ['test/parameters'],
    [
      'test/training/heap',
      'test/training/start-training',
      'test/models',
      'test/optimizers/rounding',
      'test/recommenders/dense-regularization',
      'test/recommenders/partial-options',
    ],
  ],
};

/** Mutants that no test can kill, as text of the mutated line and why; listed in the results with the survivors. */
const EQUIVALENT = JSON.parse(readFileSync(join(root, 'benchmarks/mutation/equivalent.json'), 'utf8'));

const argv = process.argv.slice(2);
const option = (name, fallback) => (argv.includes(name) ? Number(argv[argv.indexOf(name) + 1]) : fallback);
const sample = option('--sample', 40);
const seed = option('--seed', 1);
/** Mutants by hand that survived once, each with the test that is to kill it. */
const NAMED = JSON.parse(readFileSync(join(root, 'benchmarks/mutation/named.json'), 'utf8'));
const wanted = argv.filter(
  (arg, at) => (Object.hasOwn(ROOMS, arg) || arg === 'named') && !argv[at - 1]?.startsWith('--'),
);

/** SplitMix in 32 bits. */
function generator(state) {
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let word = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return ((word ^ (word >>> 16)) >>> 0) / 2 ** 32;
  };
}

const K = ts.SyntaxKind;
const SWAPS = new Map([
  [K.PlusToken, '-'],
  [K.MinusToken, '+'],
  [K.AsteriskToken, '/'],
  [K.SlashToken, '*'],
  [K.PercentToken, '*'],
  [K.LessThanToken, '<='],
  [K.LessThanEqualsToken, '<'],
  [K.GreaterThanToken, '>='],
  [K.GreaterThanEqualsToken, '>'],
  [K.EqualsEqualsEqualsToken, '!=='],
  [K.ExclamationEqualsEqualsToken, '==='],
  [K.AmpersandAmpersandToken, '||'],
  [K.BarBarToken, '&&'],
  [K.PlusEqualsToken, '-='],
  [K.MinusEqualsToken, '+='],
  [K.AsteriskEqualsToken, '/='],
  [K.SlashEqualsToken, '*='],
]);

function filesOf(paths) {
  return paths
    .flatMap((path) => {
      const full = join(root, path.split('#')[0]);
      return statSync(full).isDirectory() ? filesOf(readdirSync(full).map((name) => join(path, name))) : [path];
    })
    .filter((path) => /\.ts(#|$)/.test(path));
}

/** Every mutant of a file, or of a class in it: where, what instead. */
function mutantsOf(place) {
  const [path, only] = place.split('#');
  const text = readFileSync(join(root, path), 'utf8');
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  const found = [];
  const add = (node, replacement, kind) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    found.push({
      path,
      from: node.getStart(),
      to: node.getEnd(),
      replacement,
      kind,
      line: line + 1,
      code: text.split('\n')[line].trim(),
    });
  };
  const isTold = (node) =>
    ts.isThrowStatement(node) ||
    ts.isTemplateExpression(node) ||
    ts.isTypeNode(node) ||
    ts.isImportDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isBreakOrContinueStatement?.(node) ||
    (ts.isCallExpression(node) &&
      /^(wrong|show|nothingToPredict|slip)\b|\.isDue$|\.yieldNow$/.test(node.expression.getText())) ||
    (ts.isIfStatement(node) && /isDue\(|yieldNow/.test(node.expression.getText())) ||
    (ts.isMethodDeclaration(node) && /^(reserve|room|move)$/.test(node.name.getText())) ||
    (ts.isFunctionDeclaration(node) && /^(slip|wrongRule)$/.test(node.name?.getText() ?? ''));
  const visit = (node) => {
    if (isTold(node)) return;
    if (ts.isBinaryExpression(node)) {
      const swap = SWAPS.get(node.operatorToken.kind);
      const isText = [node.left, node.right].some(
        (side) => ts.isStringLiteralLike(side) || ts.isTemplateExpression(side),
      );
      if (swap !== undefined && !(isText && /[+-]/.test(swap))) add(node.operatorToken, swap, 'operator');
    }
    if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) {
      const condition = ts.isIfStatement(node) ? node.expression : node.condition;
      if (!/=== undefined|=== null|!== undefined|!== null/.test(condition.getText()))
        add(condition, 'true', 'condition');
      add(condition, 'false', 'condition');
    }
    if (node.kind === K.TrueKeyword && !ts.isLiteralTypeNode(node.parent)) add(node, 'false', 'boolean');
    if (node.kind === K.FalseKeyword && !ts.isLiteralTypeNode(node.parent)) add(node, 'true', 'boolean');
    if (ts.isPrefixUnaryExpression(node)) {
      if (node.operator === K.MinusToken) add(node, node.operand.getText(), 'unary');
      if (node.operator === K.ExclamationToken) add(node, `(${node.operand.getText()})`, 'unary');
    }
    if (ts.isPropertyAccessExpression(node) && node.expression.getText() === 'Math') {
      const other = { min: 'max', max: 'min', floor: 'ceil', ceil: 'floor' }[node.name.text];
      if (other !== undefined) add(node.name, other, 'method');
    }
    if (
      ts.isBlock(node) &&
      node.statements.length > 0 &&
      (ts.isMethodDeclaration(node.parent) || ts.isFunctionDeclaration(node.parent))
    ) {
      const returns = /\breturn\b|\byield\b/.test(node.getText());
      if (!returns) add(node, '{}', 'block');
    }
    ts.forEachChild(node, visit);
  };
  const isWanted = (node) => ts.isClassDeclaration(node) && node.name?.text === only;
  if (only === undefined) visit(file);
  else file.statements.filter(isWanted).forEach(visit);
  return found;
}

function isEquivalent({ path, code, replacement }) {
  return EQUIVALENT.some(
    (one) => one.path === path && code.includes(one.code) && (one.replacement ?? replacement) === replacement,
  );
}

/** A copy of the checkout that a mutant may live in. */
function copyOf(at) {
  const copy = join(tmpdir(), `opmf-mutation-${process.pid}-${at}`);
  mkdirSync(copy);
  const tracked = execFileSync(
    'git',
    ['ls-files', '-co', '--exclude-standard', 'src', 'test', 'benchmarks/data-folder.mjs', '*.json', 'tsup.config.ts'],
    { cwd: root, encoding: 'utf8' },
  );
  execFileSync('tar', ['-cf', `${copy}.tar`, '-T', '-'], { cwd: root, input: tracked });
  execFileSync('tar', ['-xf', `${copy}.tar`], { cwd: copy });
  rmSync(`${copy}.tar`);
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Whether the tests notice. A run that takes much longer than without a mutant does not end, which is noticed too. */
function isKilled(copy, { path, from, to, replacement }, tests, limit = 300_000) {
  const original = readFileSync(join(copy, path), 'utf8');
  writeFileSync(join(copy, path), original.slice(0, from) + replacement + original.slice(to));
  return new Promise((done) => {
    const child = spawn(
      process.execPath,
      [
        join(root, 'node_modules/jest/bin/jest.js'),
        ...tests,
        '--bail',
        '--silent',
        '-i',
        '--coverage=false',
        `--testSequencer=${join(root, 'benchmarks/mutation/quickest-first.cjs')}`,
      ],
      { cwd: copy, stdio: 'ignore' },
    );
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, limit);
    child.on('exit', (code) => {
      clearTimeout(timer);
      writeFileSync(join(copy, path), original);
      if (isLate) late++;
      done(code !== 0);
    });
  });
}

const copies = [copyOf(0), copyOf(1)];
const results = [];
const named = [];
/** How many mutants were killed by the clock: few, or the machine was too busy to judge. */
let late = 0;
try {
  if (wanted.length === 0 || wanted.includes('named')) {
    const left = [...NAMED];
    await Promise.all(
      copies.map(async (copy) => {
        for (let one = left.shift(); one !== undefined; one = left.shift()) {
          const { name, path, code, replacement, test } = one;
          const from = readFileSync(join(root, path), 'utf8').indexOf(code);
          if (from < 0) throw new Error(`${path} has no ${code}`);
          // Changed by nothing, the test passes.
          const killed =
            !(await isKilled(copy, { path, from, to: from, replacement: '' }, [test])) &&
            (await isKilled(copy, { path, from, to: from + code.length, replacement }, [test]));
          named.push({ name, test, killed });
          console.log(`${killed ? 'killed  ' : 'SURVIVES'} ${name}  ${test}`);
        }
      }),
    );
  }
  for (const room of wanted.length > 0 ? wanted.filter((one) => one !== 'named') : Object.keys(ROOMS)) {
    const [paths, quick, wide] = ROOMS[room];
    const all = filesOf(paths).flatMap(mutantsOf);
    const draw = generator(seed);
    // Every mutant draws, or one more that is known to be equivalent would change the whole sample.
    const drawn = all
      .map((mutant) => ({ mutant, key: draw() }))
      .filter(({ mutant }) => !isEquivalent(mutant))
      .sort((a, b) => a.key - b.key)
      .slice(0, sample)
      .map(({ mutant }) => mutant);
    // The tests pass where nothing is changed: without this a mutant would be killed by a test that fails anyway.
    const limits = new Map();
    for (const tests of [quick, wide]) {
      const from = performance.now();
      if (await isKilled(copies[0], { ...drawn[0], to: drawn[0].from, replacement: '' }, tests))
        throw new Error(`the tests of ${room} fail without a mutant: ${tests}`);
      limits.set(tests, 15_000 + 4 * (performance.now() - from));
    }
    const survivors = [];
    let next = 0;
    late = 0;
    await Promise.all(
      copies.map(async (copy) => {
        for (let at = next++; at < drawn.length; at = next++)
          if (
            !(await isKilled(copy, drawn[at], quick, limits.get(quick))) &&
            !(await isKilled(copy, drawn[at], wide, limits.get(wide)))
          ) {
            survivors.push(drawn[at]);
            console.log(
              `  survives: ${drawn[at].path}:${drawn[at].line}  ${drawn[at].code}  ->  ${drawn[at].replacement}`,
            );
          }
      }),
    );
    const killed = drawn.length - survivors.length;
    results.push({
      room,
      mutants: all.length,
      drawn: drawn.length,
      killed,
      late,
      score: killed / drawn.length,
      survivors: survivors.map(({ path, line, kind, code, replacement }) => ({ path, line, kind, code, replacement })),
    });
    console.log(
      `${room.padEnd(12)} ${String(all.length).padStart(5)} mutants, ${drawn.length} drawn, ${killed} killed: ${((100 * killed) / drawn.length).toFixed(0)} % (${late} by the clock)`,
    );
  }
} finally {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
}
// The rooms of this run take the place of what the file says of them; the others stay.
const folder = join(root, 'benchmarks/results/house');
const file = join(folder, 'mutation.json');
const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { named: [], rooms: [] };
const rooms = Object.keys(ROOMS).flatMap(
  (room) => [...results, ...before.rooms].find((one) => one.room === room) ?? [],
);
const total = (key) => rooms.reduce((sum, one) => sum + one[key], 0);
console.log(`all rooms: ${total('killed')} of ${total('drawn')} killed`);
mkdirSync(folder, { recursive: true });
writeFileSync(
  file,
  `${JSON.stringify({ node: process.version, seed, drawn: total('drawn'), killed: total('killed'), named: named.length > 0 ? named : before.named, rooms, equivalent: EQUIVALENT }, null, 2)}\n`,
);
