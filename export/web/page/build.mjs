// Builds the page into built/, which comes with the Python package: npm ci && npm run build.
import {copyFile, mkdir, readFile, rm, writeFile} from 'node:fs/promises';
import {gzipSync} from 'node:zlib';
import {build, transform} from 'esbuild';

const RUNTIME = 'node_modules/@litertjs/core/wasm';
// With relaxed SIMD, without it (Safari), and with threads.
const RUNTIMES = ['litert_wasm_internal', 'litert_wasm_compat_internal', 'litert_wasm_threaded_internal'];
const COPIED = ['index.html', 'check.html', 'manifest.webmanifest', 'example.jpg'];

await rm('built', {recursive: true, force: true});
await mkdir('built/runtime', {recursive: true});
const options = {bundle: true, minify: true, outdir: 'built', target: 'es2022', legalComments: 'none'};
await build({...options, entryPoints: ['app.js', 'check.js', 'style.css'], format: 'esm'});
// LiteRT.js loads its runtime by importScripts, which module workers do not have.
await build({...options, entryPoints: ['worker.js', 'enlarger.js', 'service_worker.js'], format: 'iife'});
for (const name of COPIED) await copyFile(name, `built/${name}`);
for (const name of RUNTIMES) {
  const {code} = await transform(await readFile(`${RUNTIME}/${name}.js`), {minifyWhitespace: true, minifySyntax: true});
  await writeFile(`built/runtime/${name}.js`, code);
  await writeFile(`built/runtime/${name}.wasm.gz`, gzipSync(await readFile(`${RUNTIME}/${name}.wasm`), {level: 9}));
}
await copyFile('../../../LICENSE', 'built/LICENSE');
