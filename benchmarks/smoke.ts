// Runs every command that a page names, in its smallest form, and says which of them fail: in a folder of its own with files
// for the names that pages use, on at most 1,500 ratings of any set (see smoke-opmf.ts), each for LONGEST at most. What still
// runs then has not failed. Placeholders in sentences (`opmf train DATA`, `...`) are taken for one of what they stand for.
// Run: npm run bench:smoke -- [milliseconds of each] [part of a command]

import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MF, syntheticInteractions } from 'opmf';
import { saveModel } from 'opmf/node';
import { commandsOf, type PageCommand, pages } from './page-commands';

const [longest = '20000', part = ''] = process.argv.slice(2);
const root = process.cwd();
const folder = await scratch();
const known = new Map<string, PageCommand>();
for (const command of pages(root).flatMap((file) => commandsOf(root, file))) known.set(command.text, command);
const failures: string[] = [];
for (const command of known.values()) {
  const line = shellLine(command);
  if (line === undefined || !line.includes(part)) continue;
  const started = performance.now();
  let { code, output } = await run(line, true);
  // What counts on more data than the cut ones fails on them: it has as long on the whole.
  if (code !== 0 && code !== null) ({ code, output } = await run(line, false));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const said = code === 0 ? 'ends' : code === null ? 'runs' : `FAILS with ${code}`;
  console.log(`${said.padEnd(5)} ${seconds.padStart(5)} s  ${command.file}:${command.line}: ${line}`);
  if (code === 0 || code === null) continue;
  failures.push(line);
  console.log(output.split('\n').slice(-15).join('\n'));
}
rmSync(folder, { recursive: true });
console.log(failures.length === 0 ? 'no command fails' : `${failures.length} commands fail`);
process.exitCode = failures.length === 0 ? 0 : 1;

/** What a shell is to run; undefined for what is no command by itself. */
function shellLine({ text, words, isBlock }: PageCommand): string | undefined {
  if (words.includes('COMMAND') || words.includes('bench:smoke')) return undefined;
  if (words[0] === 'npm') {
    // Sets of a page stand for any; one seed and one set are enough.
    const line = text.replace(/\bSET\b|ml-100k,filmtrust/, 'filmtrust').replace(/\b1,2,3\b/, '1');
    return line.replace(/\[.*\]|\.\.\.|;.*/g, '');
  }
  if (words[0] === 'node')
    return text
      .replace(/(?:;|\.(?= )|\|).*/, '')
      .replace(/\s*\[.*\]|\.\.\./g, '')
      .replace(/\b[A-Z]{2,}\b.*$/, '');
  const own = text.replace(/^(npx )?opmf/, 'node dist/cli.js');
  if (isBlock) return own.endsWith('train - --out model.safetensors') ? `${own} < ratings.csv` : own;
  if (/ compare [a-z]|datasets$/.test(own)) return own;
  // In a sentence: the bare name of a command says what it does; its usage is its first example.
  return `${own.split(/ (?=[A-Z[]|-|\.\.\.)/)[0]} --help`;
}

/** A folder that looks like the repository and like that of a user, where nothing that is written matters. */
async function scratch(): Promise<string> {
  const made = mkdtempSync(join(tmpdir(), 'opmf-smoke-'));
  for (const name of ['.git', 'src', 'test', 'examples', 'node_modules', 'tsconfig.json', 'tsup.config.ts'])
    symlinkSync(join(root, name), join(made, name));
  mkdirSync(join(made, 'benchmarks'));
  for (const name of readdirSync(join(root, 'benchmarks')))
    if (name !== 'results') symlinkSync(join(root, 'benchmarks', name), join(made, 'benchmarks', name));
  for (const name of ['benchmarks/results', 'docs', 'dist', 'README.md'])
    cpSync(join(root, name), join(made, name), { recursive: true });
  // dist is built; a build that is cut short would leave the other commands without it.
  const { scripts, ...rest } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(made, 'package.json'), JSON.stringify({ ...rest, scripts: { ...scripts, build: 'true' } }));
  const data = syntheticInteractions({ users: 130, items: 120, ratings: 3000 });
  const rows = [...data].map(({ userId, itemId, value, timestamp }) => [userId, itemId, value, timestamp ?? 0]);
  const write = (name: string, lines: readonly string[]) => writeFileSync(join(made, name), `${lines.join('\n')}\n`);
  write('ratings.csv', ['user,item,rating', ...rows.map(([user, item, value]) => `${user},${item},${value}`)]);
  write('log.csv', [
    'user,item,rating',
    '# of today',
    ...rows.map(([user, item, value]) => `${user},${item},${value}`),
  ]);
  write('test.csv', ['user,item,rating', ...rows.slice(0, 300).map(([user, item]) => `${user},${item},3`)]);
  write('orders.txt', ['customer_id\tsku\tstars', ...rows.map(([user, item, value]) => `${user}\t${item}\t${value}`)]);
  write('orders.tsv', [
    'user\tday\titem\trating',
    ...rows.map(([user, item, value]) => `${user}\t1\t${item}\t${value}`),
  ]);
  write(
    'export.csv',
    rows.map(([user, item, value]) => `${item},x,${user},${value}`),
  );
  write(
    'jester.csv',
    rows.slice(0, 100).map((_, k) => [3, (k % 19) - 9, 99, k % 7, 1.5, 99].join(',')),
  );
  const byUser = new Map<unknown, unknown[]>();
  for (const [user, item] of rows) byUser.set(user, [...(byUser.get(user) ?? []), item]);
  write(
    'train.txt',
    Array.from(byUser, ([user, items]) => [user, ...items].join(' ')),
  );
  write(
    'combined_data_1.txt',
    Array.from(byUser, ([user, items]) => [`${user}:`, ...items.map((item) => `${item},3,2005-09-06`)].join('\n')),
  );
  const model = new MF({ rank: 8, epochs: 2 });
  await model.fit(data);
  await saveModel(join(made, 'model.safetensors'), model);
  return made;
}

/** The code that a shell command ends with, null where it still runs at the end of its time; and what it printed. */
function run(line: string, isCut: boolean): Promise<{ code: number | null; output: string }> {
  // Git is asked for the commit, and is to leave the index alone.
  const env = { ...process.env, OPMF_SMOKE: isCut ? '1' : '', GIT_OPTIONAL_LOCKS: '0' };
  const child = spawn('bash', ['-c', line], { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => (output = (output + text).slice(-20_000)));
  return new Promise((resolve) => {
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      process.kill(-child.pid!, 'SIGKILL');
    }, Number(longest));
    child.on('close', (code) => {
      clearTimeout(late);
      resolve({ code: isLate ? null : (code ?? 1), output });
    });
  });
}
