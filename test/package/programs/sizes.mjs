// What the published package weighs in an application: packs it, unpacks the tarball as an installed package, and bundles
// small programs of it with the bundlers that people use. Minified, gzipped, dependencies included; 1 kB is 1000 bytes.
// `npm run size` prints the table; with a folder as argument it writes the bundles there, to see what is in them. With
// --json it prints them for size.test.ts, which leaves out the slow bundlers where they say nothing new, and has SWC
// minify what rollup makes.

import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import commonjs from '@rollup/plugin-commonjs';
import nodeResolve from '@rollup/plugin-node-resolve';
import swc from '@swc/core';
import { build as esbuild } from 'esbuild';
import { rollup } from 'rollup';
import { minify as terser } from 'terser';
import { build as vite } from 'vite';
import webpack from 'webpack';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Names that a program imports from an entry, `*` for all; `few` where the test bundles it with the quick ones alone. */
const PROGRAMS = {
  'OpmfError alone': ['opmf', 'OpmfError'],
  Popularity: ['opmf', 'Popularity'],
  ItemKNN: ['opmf', 'ItemKNN', 'few'],
  EASE: ['opmf', 'EASE', 'few'],
  'serve: all kinds': ['opmf/serve', 'loadRecommender'],
  'serve: factorizations': ['opmf/serve', 'loadFactorization', 'few'],
  'Interactions and MF': ['opmf', 'Interactions, MF', 'few'],
  OverparamMF: ['opmf', 'OverparamMF'],
  everything: ['opmf', '*', 'few'],
};

const [argument] = process.argv.slice(2);
const quick = argument === '--json';

/** A module minified by terser, or by SWC, which comes within a fiftieth of it in a tenth of the time. */
const minify = async (code) => {
  const options = { module: true, ecma: 2020 };
  return (await (quick ? swc.minify(code, { ...options, compress: true, mangle: true }) : terser(code, options))).code;
};

const BUNDLERS = {
  async esbuild(file) {
    const options = { bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, logLevel: 'silent' };
    const { outputFiles } = await esbuild({ entryPoints: [file], ...options });
    return outputFiles[0].text;
  },
  async rollup(file) {
    const bundle = await rollup({
      input: file,
      plugins: [nodeResolve({ browser: true }), commonjs()],
      onwarn: () => {},
    });
    const { output } = await bundle.generate({ format: 'esm', inlineDynamicImports: true });
    return minify(output[0].code);
  },
  async vite(file, folder) {
    const { output } = await vite({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      build: { write: false, target: 'es2022', modulePreload: false, rollupOptions: { input: file } },
    });
    return output[0].code;
  },
  webpack(file, folder) {
    const compiler = webpack({
      mode: 'production',
      context: folder,
      entry: file,
      target: ['web', 'es2022'],
      output: { path: folder, filename: 'webpack.js' },
      performance: false,
    });
    return new Promise((resolve, reject) => {
      compiler.run((error, stats) => {
        if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString('errors-only')));
        else compiler.close(() => resolve(readFileSync(join(folder, 'webpack.js'), 'utf8')));
      });
    });
  },
};

/** The package as npm would install it, in a folder with its dependencies. */
function install(folder) {
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      ...{ cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    }),
  );
  const tarball = join(folder, filename);
  const home = join(folder, 'node_modules', 'opmf');
  mkdirSync(home, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', home, '--strip-components', '1']);
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  for (const name of Object.keys(manifest.dependencies).filter((name) => !name.startsWith('@types/')))
    symlinkSync(realpathSync(join(ROOT, 'node_modules', name)), join(folder, 'node_modules', name), 'junction');
  return { tarball: statSync(tarball).size, entries: Object.keys(manifest.exports) };
}

/** Bytes of the tarball, and of every program by every bundler; a program of an entry that is not there is left out. */
async function sizes(out) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'opmf-size-')));
  try {
    const { tarball, entries } = install(folder);
    const programs = {};
    for (const [name, [entry, names, few]] of Object.entries(PROGRAMS)) {
      if (!entries.includes(entry.replace('opmf', '.'))) continue;
      const file = join(folder, `${name.replace(/\W+/g, '-')}.js`);
      const list = names === '*' ? '* as all' : `{ ${names} }`;
      writeFileSync(
        file,
        `import ${list} from '${entry}';\nglobalThis.kept = ${names === '*' ? 'all' : `[${names}]`};\n`,
      );
      programs[name] = {};
      for (const [bundler, bundle] of Object.entries(BUNDLERS)) {
        if (quick && few && ['rollup', 'webpack'].includes(bundler)) continue;
        const code = await bundle(file, folder);
        programs[name][bundler] = gzipSync(code, { level: 9 }).length;
        if (bundler === 'esbuild') programs[name].minified = Buffer.byteLength(code);
        if (out !== undefined) writeFileSync(join(out, `${name.replace(/\W+/g, '-')}.${bundler}.js`), code);
      }
    }
    return { tarball, programs };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (argument !== undefined && !quick) mkdirSync(argument, { recursive: true });
const found = await sizes(quick ? undefined : argument);
if (quick) console.log(JSON.stringify(found));
else {
  const columns = [...Object.keys(BUNDLERS), 'minified'];
  const kB = (bytes) => (bytes / 1000).toFixed(1).padStart(9);
  console.log(`${'kB, gzipped'.padEnd(22)}${columns.map((name) => name.padStart(9)).join('')}`);
  for (const [name, row] of Object.entries(found.programs)) {
    console.log(name.padEnd(22) + columns.map((column) => kB(row[column])).join(''));
  }
  console.log(`${'the tarball'.padEnd(22)}${kB(found.tarball)}`);
}
