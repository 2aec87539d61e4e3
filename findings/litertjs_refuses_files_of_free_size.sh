#!/usr/bin/env bash
# Guess: a .tflite file whose pictures may have any size runs in LiteRT.js as it does in Python and on phones, where an
# app gives the input its size, and the rest of the graph follows.
# What happens: LiteRT.js loads and compiles the file without a word, and gives its input the shape [1, -1, -1, 3]. A
# tensor of any size is then refused, because its shape is not [1, -1, -1, 3]. There is no call that sets the size.
# For users: write the size over the shapes of input and output in the bytes of the file before you load it; one file
# then serves every size (export/web/page/runtime.js). Or convert a file for each size.
# The runtime of LiteRT.js is run by Node.js here, in its build without relaxed SIMD; a browser answers the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tensorflow==2.21.0 keras==3.15.1 ai-edge-litert==2.3.0
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund @litertjs/core@2.5.3
cat > convert.py <<'PYTHON'
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

spec = tf.TensorSpec([1, None, None, 3], name="photo")
double = tf.function(lambda photo: 2 * photo).get_concrete_function(spec)
content = tf.lite.TFLiteConverter.from_concrete_functions([double]).convert()
open("double.tflite", "wb").write(content)
interpreter = Interpreter(model_content=content)
interpreter.resize_tensor_input(0, [1, 4, 6, 3])
interpreter.allocate_tensors()
interpreter.set_tensor(0, np.ones([1, 4, 6, 3], np.float32))
interpreter.invoke()
print("Python:", interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).sum())
PYTHON
cat > run.mjs <<'JAVASCRIPT'
import fs from 'node:fs';
import {createRequire} from 'node:module';
import vm from 'node:vm';

// The few names of a browser's worker that the package looks for.
globalThis.self = globalThis;
globalThis.require = createRequire(import.meta.url);
globalThis.__dirname = process.cwd();
globalThis.importScripts = file => vm.runInThisContext(fs.readFileSync(file, 'utf8'));
const build = `${process.cwd()}/node_modules/@litertjs/core/wasm/litert_wasm_compat_internal`;
globalThis.Module = {wasmBinary: fs.readFileSync(`${build}.wasm`), printErr() {}};
const {loadLiteRt, loadAndCompile, Tensor} = await import('@litertjs/core');
await loadLiteRt(`${build}.js`);

async function run(name, bytes) {
  const model = await loadAndCompile(bytes, {accelerator: 'wasm'});
  const photo = new Tensor(new Float32Array(4 * 6 * 3).fill(1), [1, 4, 6, 3]);
  let result;
  try {
    const [output] = await model.run(photo);
    result = output.toTypedArray().reduce((sum, value) => sum + value);
  } catch (error) {
    result = error.message;
  }
  console.log(`LiteRT.js, ${name}, input of shape ${model.getInputDetails()[0].shape}: ${result}`);
}

await run('as it is', new Uint8Array(fs.readFileSync('double.tflite')));
JAVASCRIPT
venv/bin/python convert.py 2> log | tee python.txt || { cat log; exit 1; }
node run.mjs 2> log | tee node.txt || { cat log; exit 1; }
grep -q "Python: 144.0" python.txt || { echo "This has changed: Python"; exit 1; }
grep -q "shape 1,-1,-1,3: .*does not match expected ranked tensor type" node.txt || { echo "This has changed: LiteRT.js"; exit 1; }
# Output seen (Node.js 20.20):
# Python: 144.0
# LiteRT.js, as it is, input of shape 1,-1,-1,3: TensorBuffer ranked tensor type Float32[1, 4, 6, 3] does not match
# expected ranked tensor type Float32[1, -1, -1, 3]
